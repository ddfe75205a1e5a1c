using System.Text.Json.Nodes;
using MoeWorkbook.Cli;

namespace MoeWorkbook.Tests.Cli;

[Trait("Category", "Slow")]
public sealed class BenchCommandTests
{
    [Fact]
    public async Task The_layer_benchmark_prints_one_object_of_probe_and_rows()
    {
        var (output, code) = await Run("bench", "moe-layer", "--json", "--hidden", "64", "--intermediate-size", "128", "--experts", "4", "--tokens", "1,5", "--rounds", "2", "--no-pytorch");
        Assert.Equal(0, code);
        var json = JsonNode.Parse(output)!;
        Assert.True((double)json["probe"]!["read_gb_per_s"]! > 0);
        Assert.True((double)json["probe"]!["gemm_gflops"]!["float32"]! > 0);
        Assert.True((double)json["probe"]!["gemm_gflops"]!["bfloat16"]! > 0);
        var rows = json["rows"]!.AsArray();
        Assert.Equal(["float32 1", "float32 5", "bfloat16 1", "bfloat16 5", "int8 1", "int8 5", "int4 1", "int4 5"], rows.Select(row => $"{row!["dtype"]} {row["tokens"]}"));
        foreach (var row in rows)
        {
            foreach (var number in new[] { "milliseconds", "predicted_milliseconds", "bandwidth_fraction", "gemm_fraction", "loop_milliseconds", "dense_total_milliseconds", "dense_active_milliseconds" }) Assert.True((double)row![number]! > 0, number);
            Assert.True(row!.AsObject().ContainsKey("pytorch_milliseconds"));
            Assert.True(row.AsObject().ContainsKey("pytorch_grouped_milliseconds"));
            Assert.Null(row["pytorch_milliseconds"]);
            Assert.Null(row["pytorch_grouped_milliseconds"]);
        }
    }

    [Theory]
    [InlineData("decode", "--batch", "batch")]
    [InlineData("prefill", "--tokens", "prompt")]
    public async Task Models_are_compared_with_the_mixture_of_experts(string command, string option, string size)
    {
        var (output, code) = await Run("bench", command, "--json", option, "1,3", "--hidden", "64", "--intermediate-size", "32", "--layers", "1", "--experts", "4", "--rounds", "2");
        Assert.Equal(0, code);
        var rows = JsonNode.Parse(output)!["rows"]!.AsArray();
        Assert.Equal([1, 1, 1, 3, 3, 3], rows.Select(row => (int)row![size]!));
        Assert.All(rows, row => Assert.True((double)row!["tokens_per_second"]! > 0));
        Assert.Equal(1, (double)rows[0]!["times_mixture_of_experts"]!);
    }

    [Fact]
    public async Task Training_is_measured_in_one_run_and_in_one_on_each_core()
    {
        var (output, code) = await Run("bench", "train", "--json", "--hidden", "16", "--heads", "2", "--intermediate-size", "8", "--experts", "2", "--batch", "2", "--sequence", "16", "--steps", "1", "--rounds", "2", "--no-pytorch");
        Assert.Equal(0, code);
        var rows = JsonNode.Parse(output)!["rows"]!.AsArray();
        Assert.Equal(["ours, one run", "ours, a run on each core"], rows.Select(row => (string)row!["name"]!));
        Assert.All(rows, row => Assert.True((double)row!["tokens_per_second"]! > 0));
    }

    [Fact]
    public async Task A_recording_has_every_result_with_its_command_and_a_failed_benchmark_leaves_what_was_measured_before()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Path("recorded.json");
        const string layer = "moe-layer --hidden 64 --intermediate-size 128 --experts 4 --tokens 3 --dtypes float32 --rounds 2 --no-pytorch", model = "decode --batch 1 --hidden 64 --intermediate-size 32 --layers 1 --rounds 2";
        Assert.NotEqual(0, (await Run("bench", "--record", file, "--only", $"{model}; {layer} --experts 0")).Code);
        Assert.False(File.Exists(file));
        Assert.Equal(3, BenchmarkRecording.Read(file + ".part").Decode.Count);
        Assert.Equal(0, (await Run("bench", "--record", file, "--only", $"{layer}; {model}")).Code);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(file))!;
        Assert.Equal([$"./workbook bench {layer} --json", $"./workbook bench {model} --json"], json["results"]!.AsArray().Select(result => (string)result!["command"]!));
        Assert.Equal(3, (int)json["results"]![0]!["result"]!["rows"]![0]!["tokens"]!);
        Assert.Contains("--only", (string)json["origin"]!["command"]!, StringComparison.Ordinal);
        Assert.All(new[] { "date", "device", "processor", "cores", "packages" }, name => Assert.NotNull(json["origin"]![name]));
        Assert.Equal([file], Directory.GetFiles(directory.Root));
        Assert.NotEqual(0, (await Run("bench")).Code);
    }

    [Fact]
    public void What_records_a_GPU_is_understood_and_its_model_fills_a_good_part_of_the_memory()
    {
        Assert.All(BenchRecording.OnGpu(84_000_000_000), command => Assert.Empty(BenchCommand.Create().Parse(command + " --json").Errors));
        foreach (var (free, layers) in new (long?, int)[] { (null, 8), (1_000_000_000, 1), (84_000_000_000, 20), (150_000_000_000, 32) })
            Assert.Equal(2, BenchRecording.OnGpu(free).Count(command => command.Contains($"--layers {layers} ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task With_PyTorch_its_loop_and_its_grouped_products_are_timed_too()
    {
        Assert.SkipWhen(PyTorchPeer.FindPython() is null, "no PyTorch here");
        var (output, code) = await Run("bench", "moe-layer", "--json", "--hidden", "256", "--intermediate-size", "512", "--experts", "4", "--tokens", "3", "--dtypes", "float32", "--rounds", "2", "--no-dense");
        Assert.Equal(0, code);
        var json = JsonNode.Parse(output)!;
        Assert.Contains("grouped", (string)json["pytorch"]!, StringComparison.Ordinal);
        var row = json["rows"]![0]!;
        // On a machine with other work PyTorch may be so slow that it is left out, which is said then.
        foreach (var (key, name) in new[] { ("pytorch_milliseconds", "PyTorch loop"), ("pytorch_grouped_milliseconds", "PyTorch grouped") })
            Assert.True(row[key] is { } time ? (double)time > 0 : $"{json["left_out"]}".Contains(name, StringComparison.Ordinal), key);
        Assert.Null(row["dense_total_milliseconds"]);
    }

    [Theory]
    [InlineData("--tokens", "1,zero")]
    [InlineData("--dtypes", "float32,float99")]
    [InlineData("--rounds", "0")]
    [InlineData("--top-k", "9")]
    [InlineData("--routing", "random")]
    public async Task A_wrong_option_is_refused_before_anything_is_measured(string option, string value) =>
        Assert.NotEqual(0, (await Run("bench", "moe-layer", option, value)).Code);

    internal static async Task<(string Output, int Code)> Run(params string[] arguments)
    {
        var ended = await Workbook.RunAsync(arguments);
        return (ended.Output, ended.Code);
    }
}
