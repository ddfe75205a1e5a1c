using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What a <see cref="MachineProbe"/> tries.</summary>
public sealed record MachineProbeOptions
{
    /// <summary>What to try on a device: the defaults on the CPU; on a GPU four times the memory, and products large enough to fill it.</summary>
    /// <param name="device">The device.</param>
    public static MachineProbeOptions For(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.type == TorchSharp.DeviceType.CPU
            ? new()
            : new() { Device = device, ReadBytes = 1L << 32, GemmShapes = [(4096, 4096, 14336), (8192, 8192, 8192)], GemmRounds = 15 };
    }

    /// <summary>The device to probe; null for the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>The bytes that are streamed through: many times what the caches hold.</summary>
    public long ReadBytes { get; init; } = 1L << 30;

    /// <summary>How often each way of reading has its turn.</summary>
    public int ReadRounds { get; init; } = 7;

    /// <summary>The types of the matrix products.</summary>
    public IReadOnlyList<ScalarType> GemmTypes { get; init; } = [ScalarType.Float32, ScalarType.BFloat16];

    /// <summary>The matrix products [rows, inner] × [inner, columns].</summary>
    public IReadOnlyList<(long Rows, long Inner, long Columns)> GemmShapes { get; init; } = [(512, 4096, 14336), (2048, 2048, 2048)];

    /// <summary>The most repetitions of each product.</summary>
    public int GemmRounds { get; init; } = 4;

    internal void Validate()
    {
        if (ReadBytes < 1 << 22) throw new ArgumentException($"ReadBytes is {ReadBytes:N0}; it must be at least 4 MiB.");
        if (ReadRounds < 1) throw new ArgumentException($"ReadRounds is {ReadRounds}; it must be at least 1.");
        if (GemmRounds < 1) throw new ArgumentException($"GemmRounds is {GemmRounds}; it must be at least 1.");
        if (GemmTypes.Count == 0 || GemmShapes.Count == 0) throw new ArgumentException("GemmTypes and GemmShapes must name at least one each.");
    }
}
