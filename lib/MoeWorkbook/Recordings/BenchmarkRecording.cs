using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The benchmarks of one machine, as <c>./workbook bench --record FILE</c> keeps them: measured somewhere else, to be shown beside what a notebook
/// measures.</summary>
/// <param name="Origin">The command, the day and the machine.</param>
/// <param name="Results">What each benchmark printed, with its own command.</param>
public sealed record BenchmarkRecording(RecordingOrigin Origin, IReadOnlyList<BenchmarkResult> Results)
{
    private static readonly JsonSerializerOptions _json = new(JsonText.Record) { WriteIndented = true };

    /// <summary>What to do where <see cref="OnGpu"/> finds none.</summary>
    public const string NoneOnGpu = "No GPU run is recorded yet; on a machine with a GPU ./workbook bench --record data/recorded/NAME.json makes one.";

    /// <summary>The name of what was measured: the GPU's, or the processor's.</summary>
    public string Name => Origin.Name;

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

    /// <summary>The recordings of GPUs in a folder, the oldest first. Its other files, such as a <see cref="TrainingRecording"/> of training runs, are passed
    /// over.</summary>
    /// <param name="folder">The folder, such as data/recorded.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A file of benchmarks is damaged; the message says which and where.</exception>
    public static IReadOnlyList<BenchmarkRecording> OnGpu(string folder) =>
    [
        .. Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal).Where(HoldsBenchmarks).Select(Read)
            .Where(recording => recording.Origin.Device.StartsWith("cuda", StringComparison.Ordinal)).OrderBy(recording => recording.Origin.Date),
    ];

    /// <summary>Reads a recording.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no recording of benchmarks; the message says where it stops being one.</exception>
    public static BenchmarkRecording Read(string path)
    {
        var text = File.ReadAllText(path);
        try
        {
            var recording = JsonSerializer.Deserialize<BenchmarkRecording>(text, _json) ?? throw new InvalidDataException($"{path} is empty; a recording is a JSON object.");
            _ = (recording.Probe, recording.Layers, recording.Decode, recording.Prefill,
                recording.Training); // every part, now and not in the middle of a figure
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
    public void Write(string path) => WholeFile.Write(path, JsonSerializer.Serialize(this, _json) + "\n");

    /// <summary>Where the numbers come from.</summary>
    public override string ToString() => Origin.ToString();

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
        [.. Results.Where(result => result.Benchmark == benchmark)
            .SelectMany(result => (result.Result["rows"] ?? throw new JsonException($"'{result.Command}' has no rows")).Deserialize<T[]>(_json)!)];

    private static MachineProbe ToProbe(JsonObject json)
    {
        var rates = Part("gemm_gflops").AsObject().ToDictionary(rate => TypeOf(rate.Key), rate => 1e9 * (double)rate.Value!);
        return new(1e9 * (double)Part("read_gb_per_s"), (string?)json["read_kernel"] ?? "", rates, 1e-6 * (double)Part("call_microseconds"));

        JsonNode Part(string key) => json[key] ?? throw new JsonException($"the probe has no {key}");

        ScalarType TypeOf(string name) => Enum.TryParse(name, ignoreCase: true, out ScalarType type) ? type : throw new JsonException($"the probe has a rate for '{name}', which is no type");
    }
}
