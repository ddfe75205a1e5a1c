using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The benchmarks of one machine, as <c>./workbook bench --record FILE</c> keeps them: measured somewhere else, to be shown beside what a notebook measures.</summary>
/// <param name="Command">The exact command that made the file.</param>
/// <param name="Date">The day.</param>
/// <param name="Device">The device that was measured, such as cuda:0 or cpu.</param>
/// <param name="Processor">The processor of the machine.</param>
/// <param name="Cores">How many of its cores could be used.</param>
/// <param name="Packages">The packages that decide about speed, with their versions; PyTorch's where it was measured too.</param>
/// <param name="Results">What each benchmark printed, with its own command.</param>
/// <param name="Gpu">The GPU; null on the CPU, or where its driver's tool was missing.</param>
public sealed record BenchmarkRecording(
    string Command, DateOnly Date, string Device, string Processor, int Cores, IReadOnlyDictionary<string, string> Packages,
    IReadOnlyList<BenchmarkResult> Results, Gpu? Gpu = null)
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        IgnoreReadOnlyProperties = true,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a file, not a page: quotation marks stay readable
    };

    /// <summary>What to do where <see cref="OnGpu"/> finds none.</summary>
    public const string NoneOnGpu = "No GPU run is recorded yet. On a machine with a GPU this command records one:\n  ./workbook bench --record data/recorded/NAME.json";

    /// <summary>The name of what was measured: the GPU's, or the processor's.</summary>
    public string Name => Gpu?.Name ?? (Device == "cpu" ? Processor : Device);

    /// <summary>The limits of the device; null where they were not recorded.</summary>
    public MachineProbe? Probe =>
        Results.Select(result => result.Benchmark == "probe" ? result.Result : result.Result["probe"]).OfType<JsonObject>().Select(ToProbe).FirstOrDefault();

    /// <summary>Layers at several numbers of tokens, each with its rivals; empty where they were not recorded.</summary>
    public IReadOnlyList<LayerBenchmark> Layers => Rows<LayerBenchmark>("moe-layer");

    /// <summary>Decode steps of whole models; empty where they were not recorded.</summary>
    public IReadOnlyList<ModelBenchmark> Decode => Rows<ModelBenchmark>("decode");

    /// <summary>Prefills of whole models; empty where they were not recorded.</summary>
    public IReadOnlyList<ModelBenchmark> Prefill => Rows<ModelBenchmark>("prefill");

    /// <summary>Training speeds; empty where they were not recorded.</summary>
    public IReadOnlyList<TrainingBenchmark> Training => Rows<TrainingBenchmark>("train");

    /// <summary>The recordings of GPUs in a folder, the oldest first. Its other files, such as a <see cref="Recording"/> of training runs, are passed over.</summary>
    /// <param name="folder">The folder, such as data/recorded.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file of benchmarks is damaged; the message says which and where.</exception>
    public static IReadOnlyList<BenchmarkRecording> OnGpu(string folder) =>
    [
        .. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Where(HoldsBenchmarks).Select(Read)
            .Where(recording => recording.Device.StartsWith("cuda", StringComparison.Ordinal)).OrderBy(recording => recording.Date),
    ];

    /// <summary>Reads a recording.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no recording of benchmarks; the message says where it stops being one.</exception>
    public static BenchmarkRecording Read(string path)
    {
        string text = File.ReadAllText(path);
        try
        {
            var recording = JsonSerializer.Deserialize<BenchmarkRecording>(text, _json) ?? throw new InvalidDataException($"{path} is empty; a recording is a JSON object.");
            _ = (recording.Probe, recording.Layers, recording.Decode, recording.Prefill, recording.Training); // every part, now and not in the middle of a figure
            return recording;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path} is no recording of benchmarks: {e.Message}", e);
        }
    }

    /// <summary>Writes the recording whole: the file is there completely or as it was before.</summary>
    /// <param name="path">The file; its folder is made where it does not exist.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path) => RecordingFile.Write(path, this, _json);

    /// <summary>Where the numbers come from: the day and the machine, the command, the packages, a line each.</summary>
    public override string ToString() => RecordingFile.Origin(Date, Device, Gpu, Processor, Cores, Command, Packages);

    private static bool HoldsBenchmarks(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) is JsonObject json && json.ContainsKey("results");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is no JSON: {e.Message}", e);
        }
    }

    private IReadOnlyList<T> Rows<T>(string benchmark) =>
        [.. Results.Where(result => result.Benchmark == benchmark).SelectMany(result => (result.Result["rows"] ?? throw new JsonException($"'{result.Command}' has no rows")).Deserialize<T[]>(_json)!)];

    private static MachineProbe ToProbe(JsonObject json)
    {
        var rates = Part("gemm_gflops").AsObject().ToDictionary(rate => TypeOf(rate.Key), rate => 1e9 * (double)rate.Value!);
        return new(1e9 * (double)Part("read_gb_per_s"), (string?)json["read_kernel"] ?? "", rates, 1e-6 * (double)Part("call_microseconds"));

        JsonNode Part(string key) => json[key] ?? throw new JsonException($"the probe has no {key}");

        ScalarType TypeOf(string name) => Enum.TryParse(name, ignoreCase: true, out ScalarType type) ? type : throw new JsonException($"the probe has a rate for '{name}', which is no type");
    }
}
