using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>An NVIDIA GPU, as the driver's own tool describes it.</summary>
/// <param name="Name">Its name, such as NVIDIA H100 80GB HBM3.</param>
/// <param name="Driver">The version of the driver.</param>
/// <param name="MemoryBytes">Its memory in bytes.</param>
/// <param name="FreeBytes">Bytes that no process had taken when it was asked.</param>
public sealed record Gpu(string Name, string Driver, long MemoryBytes, long FreeBytes)
{
    /// <summary>Asks for the GPU that a device is on.</summary>
    /// <param name="device">The device.</param>
    /// <returns>The GPU; null for the CPU, and where <c>nvidia-smi</c> is missing or does not know.</returns>
    public static Gpu? Of(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.type != TorchSharp.DeviceType.CUDA) return null;
        try
        {
            string[] arguments = ["--query-gpu=name,driver_version,memory.total,memory.free", "--format=csv,noheader,nounits", $"--id={Number(device)}"];
            using var process = Process.Start(new ProcessStartInfo("nvidia-smi", arguments) { RedirectStandardOutput = true });
            return process is null ? null : Parse(process.StandardOutput.ReadToEnd());
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // there is no such program
        }
    }

    /// <summary>Reads a line of nvidia-smi, memory in MiB: <c>NVIDIA H100 80GB HBM3, 550.54.15, 81559, 81079</c>; null where it is none.</summary>
    internal static Gpu? Parse(string line) =>
        line.Trim().Split(", ") is [var name, var driver, var memory, var free]
        && long.TryParse(memory, CultureInfo.InvariantCulture, out var total) && long.TryParse(free, CultureInfo.InvariantCulture, out var left)
            ? new(name, driver, total << 20, left << 20)
            : null;

    // libtorch counts the GPUs that this variable shows, nvidia-smi all of them.
    private static string Number(Device device)
    {
        var index = Math.Max(0, device.index);
        var shown = (Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return index < shown.Length ? shown[index] : index.ToString(CultureInfo.InvariantCulture);
    }
}
