using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary>Refuses what cannot fit into memory before it is begun: afterwards the system may end the program without a word.</summary>
internal static class MemoryCheck
{
    /// <summary>Requires the memory for a forward pass on a device; on a GPU its own allocator says what does not fit.</summary>
    /// <exception cref="CommandException">It needs more than this machine, or this container, has.</exception>
    public static void Require(string directory, Device device, long positions, long logitPositions)
    {
        if (device.type != TorchSharp.DeviceType.CPU) return;
        var config = HuggingFaceConfig.Read(directory);
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        try
        {
            var needed = ForwardMemory.LeastBytes(config, positions, logitPositions);
            if (needed > available) throw new CommandException($"{directory}: {positions} tokens need at least {Gigabytes(needed)} of memory with this model, and there are {Gigabytes(available)}.");
        }
        catch (OverflowException)
        {
            throw new CommandException($"{directory}: {positions} tokens need more memory with this model than 64 bits can count.");
        }
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB");
}
