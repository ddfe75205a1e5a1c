using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Memory to stream through, and the fastest way of reading it: by all cores of this machine, or by a GPU. Keep it to sample the bandwidth again
/// beside what is judged by it: on a shared machine it changes within minutes.</summary>
public sealed unsafe class ReadBandwidth : IDisposable
{
    private readonly Device? _device;
    private readonly (string Name, Action Read) _fastest;
    private byte* _memory; // of the CPU
    private Tensor? _tensor; // or of another device
    private bool _disposed;

    /// <summary>Fills memory and tries every way of reading it.</summary>
    /// <param name="bytes">How many bytes; many times what the caches hold.</param>
    /// <param name="rounds">How often each way has its turn.</param>
    /// <param name="device">The device whose memory it is; null for the CPU.</param>
    /// <param name="cores">How many cores of the CPU read; null for all.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are less than 4 MiB, no round, or no core.</exception>
    public ReadBandwidth(long bytes = 1L << 30, int rounds = 7, Device? device = null, int? cores = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1 << 22);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(cores ?? 1, 1, nameof(cores));
        (Bytes, _device) = (bytes, device);
        var ways = device is null || device.type == TorchSharp.DeviceType.CPU ? WaysOfCpu(cores ?? Environment.ProcessorCount) : WaysOfDevice(device);
        var measured = Measurement.Rounds(
            new() { Rounds = rounds, FewestRounds = rounds, WarmUpRounds = 1 },
            [.. ways.Select(way => (way.Name, (Func<double>)(() => Seconds(way.Read))))]);
        var best = measured.Measurements.MinBy(way => way.Seconds.Value)!;
        _fastest = ways.Single(way => way.Name == best.Name);
        BytesPerSecond = Bytes / best.Seconds.Value;
    }

    /// <summary>Bytes that are read at a time.</summary>
    public long Bytes { get; }

    /// <summary>The bandwidth of the fastest way: the median of its rounds.</summary>
    public double BytesPerSecond { get; }

    /// <summary>The fastest way of reading.</summary>
    public string Kernel => _fastest.Name;

    /// <summary>Streams through the memory once more, in the fastest way.</summary>
    /// <returns>Bytes a second.</returns>
    public double Sample()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Bytes / Seconds(_fastest.Read);
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        _disposed = true;
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _tensor?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees memory that was forgotten.</summary>
    ~ReadBandwidth() => NativeMemory.AlignedFree(_memory);

    private List<(string Name, Action Read)> WaysOfCpu(int cores)
    {
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, LargePages.Bytes);
        LargePages.Advise(_memory, Bytes);
        // Written by all cores, so that the pages lie near them.
        Parallel.For(0, (Bytes + (1 << 22) - 1) >> 22, block => new Span<byte>(_memory + (block << 22), (int)Math.Min(1 << 22, Bytes - (block << 22))).Fill(1));
        return [.. StreamingRead.All.Select(way => (way.Name, (Action)(() => GC.KeepAlive(way.Run(_memory, Bytes, cores)))))];
    }

    /// <summary>libtorch's reductions, which read everything and write next to nothing.</summary>
    private List<(string Name, Action Read)> WaysOfDevice(Device device)
    {
        var tensor = ones(Bytes / sizeof(float), ScalarType.Float32, device).DetachFromDisposeScope();
        _tensor = tensor;
        return [("sum", () => tensor.sum().Dispose()), ("largest", () => tensor.max().Dispose())];
    }

    private double Seconds(Action read)
    {
        ComputeDevice.Synchronize(_device);
        var start = TimeProvider.System.GetTimestamp();
        read();
        ComputeDevice.Synchronize(_device);
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }
}
