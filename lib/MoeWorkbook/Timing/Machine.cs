using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TorchSharp;

namespace MoeWorkbook;

/// <summary>What the notebooks run on.</summary>
/// <param name="Processor">The processor's name, or its architecture where the system gives none.</param>
/// <param name="Cores">Logical processors that this process may use.</param>
/// <param name="VectorBits">Width of the widest vector instructions that .NET uses here: 512, 256, 128, or 0 for none.</param>
/// <param name="MemoryBytes">Memory that this process may use: the machine's, or the container's limit.</param>
/// <param name="Device">The device to compute on, <see cref="ComputeDevice.Current"/>.</param>
/// <param name="Packages">The packages that decide about results and speed, with their versions.</param>
/// <param name="Gpu">The GPU that the device is; null on the CPU.</param>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed record Machine(string Processor, int Cores, int VectorBits, long MemoryBytes, string Device,
    IReadOnlyDictionary<string, string> Packages, Gpu? Gpu = null)
    : INotebookDisplay
{
    private static readonly Lazy<Machine> _current = new(() => new(
        ProcessorName(),
        Environment.ProcessorCount,
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        ComputeDevice.Current.ToString(),
        new Dictionary<string, string>
        {
            ["TorchSharp"] = VersionOf(typeof(torch)),
            ["libtorch"] = torch.__version__,
            ["Plotly.NET"] = VersionOf(typeof(Plotly.NET.GenericChart)),
            ["MathNet.Numerics"] = VersionOf(typeof(MathNet.Numerics.Constants)),
            [".NET"] = Environment.Version.ToString(),
        },
        Gpu.Of(ComputeDevice.Current)));

    /// <summary>This machine.</summary>
    /// <exception cref="NotSupportedException"><see cref="ComputeDevice.Variable"/> names no device that is here.</exception>
    public static Machine Current => _current.Value;

    /// <inheritdoc />
    public string ToHtml() => Table().ToHtml();

    /// <summary>The machine as lines of text.</summary>
    public override string ToString() => Table().ToString();

    private Table Table() => new(
        [Column.Text("this machine"), Column.Text("")],
        [
            ["processor", $"{Processor}, {Cores} cores, {(VectorBits == 0 ? "no vector instructions" : $"vectors of {VectorBits} bits")}"],
            ["memory", $"{MemoryBytes / (double)(1L << 30):F1} GiB"],
            ["device", Gpu is null ? Device : $"{Device}, {Gpu.Name}"],
            .. Packages.Select(package => new[] { package.Key, package.Value }),
        ]);

    private static string ProcessorName()
    {
        const string file = "/proc/cpuinfo", key = "model name";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
            ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
            ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    // Builds append their commit after a plus sign.
    private static string VersionOf(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? type.Assembly.GetName().Version?.ToString() ?? "unknown";
}
