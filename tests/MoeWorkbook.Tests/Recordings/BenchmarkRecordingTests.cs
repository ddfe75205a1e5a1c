using System.Text.Json.Nodes;
using MoeWorkbook.Notebooks;
using MoeWorkbook.Tests.Cli;
using MoeWorkbook.Tests.Notebooks;

namespace MoeWorkbook.Tests.Recordings;

/// <summary>A recording that <c>bench --record</c> made on this machine's CPU, as the library and the notebooks read it.</summary>
[Trait("Category", "Slow")]
public sealed class BenchmarkRecordingTests(BenchmarkRecordingTests.Recorded recorded) : IClassFixture<BenchmarkRecordingTests.Recorded>
{
    [Fact]
    public void It_says_what_was_measured_on_what_when_and_how()
    {
        var recording = recorded.Recording;
        Assert.Equal("cpu", recording.Origin.Device);
        Assert.Null(recording.Origin.Gpu);
        Assert.Equal((Machine.Current.Processor, Machine.Current.Cores), (recording.Origin.Processor, recording.Origin.Cores));
        Assert.InRange(recording.Origin.Date.DayNumber, DateOnly.FromDateTime(DateTime.UtcNow).DayNumber - 1, DateOnly.FromDateTime(DateTime.UtcNow).DayNumber);
        Assert.All(new[] { "TorchSharp", "libtorch", ".NET" }, package => Assert.NotEmpty(recording.Origin.Packages[package]));
        Assert.StartsWith("./workbook bench --record ", recording.Origin.Command, StringComparison.Ordinal);
        Assert.Equal(["probe", "moe-layer", "moe-layer", "decode", "prefill", "train"], recording.Results.Select(result => result.Benchmark));
        Assert.All(new[] { recording.Origin.Command, recording.Origin.Processor, "TorchSharp" },
            part => Assert.Contains(part, recording.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void It_has_the_probe_the_layer_with_its_rivals_whole_models_and_training()
    {
        var recording = recorded.Recording;
        Assert.True(recording.Probe!.ReadBytesPerSecond > 1e8 && recording.Probe.GemmRate(WeightType.BFloat16) > 1e6 && recording.Probe.SecondsPerCall > 0);
        Assert.Equal([(1, "balanced", 2), (6, "balanced", 4), (6, "collapsed", 2)], recording.Layers.Select(row => (row.Tokens, row.Routing, row.ExpertsTouched)));
        Assert.All(recording.Layers, row => Assert.True(row.Dtype == "bfloat16" && row is
        {
            Milliseconds: > 0, DenseTotalMilliseconds: > 0,
            DenseActiveMilliseconds: > 0, LoopMilliseconds: > 0
        } && row.MillisecondsLow <= row.MillisecondsHigh));
        Assert.Equal([(2, null), (2, null), (2, null), (null, 5), (null, 5), (null, 5)],
            recording.Decode.Concat(recording.Prefill).Select(row => (row.Batch, row.Prompt)));
        Assert.All(recording.Decode, row => Assert.True(row.TotalParameters >= row.ActiveParameters && row.TokensPerSecond > 0));
        var training = Assert.Single(recording.Training, row => row.Name == "ours, one run");
        Assert.True(training.Speed.Low > 0 && training.TokensPerStep == 32 && training.TrainingFlopsPerToken > 0);
    }

    [Fact]
    public void In_a_folder_the_recordings_of_GPUs_are_found_among_other_files()
    {
        using var folder = new TemporaryDirectory();
        Assert.Empty(BenchmarkRecording.OnGpu(folder.Root));
        recorded.Recording.Write(folder.Path("cpu.json"));
        TrainingRecording.Of("another command", []).Write(folder.Path("training.json"));
        Assert.Empty(BenchmarkRecording.OnGpu(folder.Root));
        var gpu = recorded.Recording with { Origin = recorded.Recording.Origin with { Device = "cuda:0", Gpu = new("a GPU", "1.2", 80L << 30, 79L << 30) } };
        gpu.Write(folder.Path("gpu.json"));
        var found = Assert.Single(BenchmarkRecording.OnGpu(folder.Root));
        Assert.Equal(gpu.ToString(), found.ToString());
        Assert.Contains("a GPU (driver 1.2, 80 GiB)", found.ToString(), StringComparison.Ordinal);
        Assert.Equal(gpu.Layers, found.Layers);
    }

    [Theory]
    [InlineData("\"rows\"", "\"raws\"", "has no rows")]
    [InlineData("\"read_gb_per_s\"", "\"read\"", "no read_gb_per_s")]
    [InlineData("\"tokens_per_second\"", "\"speed\"", "tokens_per_second")]
    [InlineData("\"processor\": \"", "\"maker\": \"", "processor")]
    public void A_damaged_file_is_refused_with_its_name_and_the_place(string right, string wrong, string message)
    {
        using var folder = new TemporaryDirectory();
        recorded.Recording.Write(folder.Path("cpu.json"));
        File.WriteAllText(folder.Path("cpu.json"), File.ReadAllText(folder.Path("cpu.json")).Replace(right, wrong, StringComparison.Ordinal));
        var refused = Assert.Throws<InvalidDataException>(() => BenchmarkRecording.OnGpu(folder.Root)).Message;
        Assert.Contains("cpu.json", refused, StringComparison.Ordinal);
        Assert.Contains(message, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void The_figure_has_a_line_for_every_way_that_was_timed()
    {
        var recording = recorded.Recording;
        var layer = recording.Layers.GroupBy(row => row.Layer).First();
        Assert.Equal("4 experts of 64 × 96, top-2, bfloat16, balanced", layer.Key);
        var json = JsonNode.Parse(MoeWorkbook.Figures.LayerTimes(layer, recording.Name).ToJson())!;
        var names = json["data"]!.AsArray().Select(line => (string)line!["name"]!).ToList();
        Assert.Equal(["Mixture of Experts", "dense, equal total", "dense, equal active"], names.Take(3));
        Assert.Equal([1.0, 6.0], json["data"]![0]!["x"]!.AsArray().Select(x => (double)x!));
        Assert.Contains("several layers", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LayerTimes(recording.Layers, "")).Message, StringComparison.Ordinal);
        Assert.Contains("no recorded time", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LayerTimes([], "")).Message, StringComparison.Ordinal);
    }

    /// <summary>The cells of a chapter that show a recorded GPU, on a recording of this machine's CPU and on stand-ins for what the chapter measured.</summary>
    [Theory]
    [InlineData("05-inference-timing", """
        var weights = SyntheticWeights.Experts(4, 8, 16, ScalarType.Float32);
        var quick = new MeasurementOptions { Rounds = 2, FewestRounds = 1 };
        var uniform = new LayerComparison(weights, 2, new SortedExperts()).Measure([1, 8], [RoutingPattern.Uniform], quick);
        var step = Measurement.Compare(quick, ("Mixture of Experts", () => { }), ("dense, equal total", () => { }));
        """)]
    [InlineData("06-expert-collapse", OneRun)]
    [InlineData("09-sparse-against-dense", OneRun)]
    public async Task The_cells_of_a_chapter_draw_it(string chapter, string measured)
    {
        using var folder = new NotebookFolder();
        var document = NotebookDocument.Read(Path.Combine(Repository.Root, "notebooks", $"{chapter}.ipynb"));
        var first = document.CodeCells.First().Source.Replace("../artifacts", Path.Combine(Repository.Root, "artifacts"), StringComparison.Ordinal);
        string[] shown = [.. document.CodeCells.Where(cell => cell.Tags.Contains("recorded")).Select(cell => cell.Source)];
        Assert.Contains(shown, source => source.Contains("BenchmarkRecording.OnGpu(\"../data/recorded\")", StringComparison.Ordinal));

        recorded.Recording.Write(folder.File("cpu.json"));
        Directory.CreateDirectory(folder.File("data"));
        var result = await folder.RunAsync([first, measured, .. Reading($"new List<BenchmarkRecording> {{ BenchmarkRecording.Read(\"{folder.File("cpu.json")}\") }}"), .. Reading($"BenchmarkRecording.OnGpu(\"{folder.File("data")}\")")]);
        Assert.Null(result.Failure?.ToString());
        string[] outputs = [.. result.Document.CodeCells.Skip(2).Select(cell => string.Concat(cell.OutputHtml.Append(cell.OutputText)))];
        string with = string.Concat(outputs[..shown.Length]), without = string.Concat(outputs[shown.Length..]);
        Assert.Contains(recorded.Recording.Origin.Processor, with, StringComparison.Ordinal);
        Assert.DoesNotContain("No GPU run", with, StringComparison.Ordinal);
        Assert.Contains("No GPU run is recorded yet", without, StringComparison.Ordinal);

        IEnumerable<string> Reading(string recordings) => shown.Select(source => source.Replace("BenchmarkRecording.OnGpu(\"../data/recorded\")", recordings, StringComparison.Ordinal));
    }

    private const string OneRun = """
        const int E = 4;
        var device = ComputeDevice.Current;
        var corpus = SyntheticCorpus.Generate(new() { TrainingBytes = 20_000, ValidationBytes = 2_000, TableSize = 20 });
        var sparse = ModelConfig.Dense(8, 1, 2, 1, 8, corpus.VocabularySize).MixtureOfExperts(E, 1);
        var training = new TrainingOptions { Steps = 3, WarmupSteps = 1, BatchSize = 2, SequenceLength = 16, ValidationTokens = 64 };
        var runs = ExperimentRunner.Run(new Experiment("16 experts, top-1", sparse, corpus, training).WithSeeds(2));
        """;

    /// <summary>Every benchmark once, at sizes that take seconds.</summary>
    public sealed class Recorded : IAsyncLifetime
    {
        private readonly TemporaryDirectory _directory = new();

        public BenchmarkRecording Recording { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            const string layer = "moe-layer --dtypes bfloat16 --hidden 64 --intermediate-size 96 --experts 4 --rounds 2", size = "--hidden 64 --intermediate-size 32 --layers 1 --experts 4 --rounds 2";
            var file = _directory.Path("cpu.json");
            var (_, code) = await BenchCommandTests.Run("bench", "--record", file, "--only",
                $"probe; {layer} --tokens 1,6; {layer} --tokens 6 --routing collapsed --no-pytorch; decode --batch 2 {size}; prefill --tokens 5 {size}; "
                + "train --hidden 16 --heads 2 --intermediate-size 8 --experts 2 --batch 2 --sequence 16 --steps 1 --rounds 2 --no-pytorch");
            Assert.Equal(0, code);
            Recording = BenchmarkRecording.Read(file);
        }

        public ValueTask DisposeAsync()
        {
            _directory.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
