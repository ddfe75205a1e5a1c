using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Where a recording comes from.</summary>
/// <param name="Command">The exact command that made it.</param>
/// <param name="Date">The day.</param>
/// <param name="Device">The device that was measured or trained on, such as cuda:0 or cpu.</param>
/// <param name="Processor">The processor of the machine.</param>
/// <param name="Cores">How many of its cores could be used.</param>
/// <param name="Packages">The packages that decide about results and speed, with their versions; PyTorch's where it was measured too.</param>
/// <param name="Gpu">The GPU; null on the CPU, or where its driver's tool was missing.</param>
public sealed record RecordingOrigin(
    string Command, DateOnly Date, string Device, string Processor, int Cores, IReadOnlyDictionary<string, string> Packages, Gpu? Gpu = null)
{
    /// <summary>This machine, today.</summary>
    /// <param name="command">The exact command that makes the recording.</param>
    /// <param name="device">What is measured or trained on; null for the CPU.</param>
    public static RecordingOrigin Here(string command, Device? device = null) => new(
        command, DateOnly.FromDateTime(DateTime.UtcNow), (device ?? CPU).ToString(),
        Machine.Current.Processor, Machine.Current.Cores, Machine.Current.Packages, device is null ? null : Gpu.Of(device));

    /// <summary>The name of the device: the GPU's, or the processor's.</summary>
    internal string Name => Gpu?.Name ?? (Device == "cpu" ? Processor : Device);

    /// <summary>The day and the machine, the command, the packages, a line each.</summary>
    public override string ToString()
    {
        var machine = string.Create(CultureInfo.InvariantCulture, $"{Cores} cores of {Processor}");
        if (Gpu is not null) machine = string.Create(CultureInfo.InvariantCulture, $"{Gpu.Name} (driver {Gpu.Driver}, {Gpu.MemoryBytes / (double)(1L << 30):F0} GiB) beside {machine}");
        else if (Device != "cpu") machine = $"{Device} beside {machine}";
        return string.Create(CultureInfo.InvariantCulture,
            $"Recorded on {Date:yyyy-MM-dd} on {machine} by\n  {Command}\nwith {string.Join(", ", Packages.Select(package => $"{package.Key} {package.Value}"))}");
    }
}
