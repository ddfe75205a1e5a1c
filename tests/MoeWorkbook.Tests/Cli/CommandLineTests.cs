using System.Diagnostics;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Cli;

[Trait("Category", "Slow")]
public sealed class CommandLineTests
{
    private const string SmallMoe = "data/checkpoints/small-moe", Golden = "tests/MoeWorkbook.Tests/Golden/mixtral-tiny", Training = "data/training/small-moe.json";

    [Fact]
    public async Task Counting_prints_a_table_or_one_object()
    {
        var text = await Workbook.RunAsync("count", "mixtral-8x7b");
        Assert.Equal((0, ""), (text.Code, text.Errors));
        Assert.Contains("46,702,792,704", text.Output, StringComparison.Ordinal);
        var json = JsonNode.Parse((await Workbook.RunAsync("count", Golden, "--json", "--context", "16")).Output)!;
        Assert.Equal(16, (int)json["context_length"]!);
        Assert.Equal("mixtral", (string)json["model_type"]!);
    }

    [Fact]
    public async Task Logits_are_printed_as_one_object()
    {
        var ended = await Workbook.RunAsync("logits", Golden, "--tokens", "1,2,3;4,5,6", "--json");
        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.Equal([2, 3], JsonNode.Parse(ended.Output)!["shape"]!.AsArray().Take(2).Select(size => (int)size!));
    }

    [Fact]
    public async Task Text_is_continued_and_an_at_sign_is_a_letter()
    {
        var ended = await Workbook.RunAsync("generate", SmallMoe, "--prompt", "the ", "--max-tokens", "5");
        Assert.Equal((0, ""), (ended.Code, ended.Errors));
        Assert.EndsWith("\n", ended.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Workbook.RunAsync("generate", SmallMoe, "--prompt", "@data/none", "--max-tokens", "2")).Code);
    }

    [Theory]
    [InlineData("--context takes a whole number of at least 1, and not 'abc'", "count", "mixtral-8x7b", "--context", "abc")]
    [InlineData("not '4,096'", "count", "mixtral-8x7b", "--context", "4,096")]
    [InlineData("not '0'", "count", "mixtral-8x7b", "--context", "0")]
    [InlineData("not '99999999999'", "count", "mixtral-8x7b", "--context", "99999999999")]
    [InlineData("Name a model", "count")]
    [InlineData("'--prompt' expects a single argument", "generate", SmallMoe, "--prompt", "a", "--prompt", "b")]
    [InlineData("'--tokens' expects a single argument", "logits", Golden, "--tokens", "1", "--tokens", "2")]
    [InlineData("either --prompt or --tokens", "generate", SmallMoe)]
    [InlineData("--temperature takes a number from 0 to 100, with a point as in 0.5, and not '0,7'", "generate", SmallMoe, "--prompt", "a", "--temperature", "0,7")]
    [InlineData("not 'NaN'", "generate", SmallMoe, "--prompt", "a", "--temperature", "NaN")]
    [InlineData("not '1,5'", "generate", SmallMoe, "--prompt", "a", "--top-p", "1,5")]
    [InlineData("not '-1'", "generate", SmallMoe, "--prompt", "a", "--temperature", "-1")]
    [InlineData("not '1,000'", "train", Training, "--output", "x", "--steps", "1,000")]
    [InlineData("not '1e3'", "train", Training, "--output", "x", "--seed", "1e3")]
    [InlineData("not an empty one", "train", Training, "--output", "")]
    [InlineData("'--output' is required", "train", Training)]
    [InlineData("not '0'", "run", "00", "--cell-timeout", "0")]
    [InlineData("--rounds takes a whole number", "bench", "moe-layer", "--rounds", "1.5")]
    [InlineData("--top-k must not exceed --experts", "bench", "decode", "--top-k", "9")]
    [InlineData("'1.000'", "bench", "moe-layer", "--tokens", "1.000")]
    [InlineData("'nonsense'", "nonsense")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(string words, params string[] arguments)
    {
        var ended = await Workbook.RunAsync(arguments);
        Assert.Equal((2, ""), (ended.Code, ended.Output));
        Assert.Contains(words, ended.Line, StringComparison.Ordinal);
        Assert.Contains("--help' says more", ended.Line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no model \"nonsense\"", "count", "nonsense")]
    [InlineData("no notebook 'nonsense'", "run", "nonsense")]
    [InlineData("config.json", "logits", "data", "--tokens", "1")]
    [InlineData("is no token id", "logits", Golden, "--tokens", "1,x")]
    [InlineData("token", "logits", Golden, "--tokens", "999999")]
    [InlineData("none.json cannot be read", "train", "none.json", "--output", "x")]
    [InlineData("is a file", "train", Training, "--output", "README.md")]
    [InlineData("say what to measure", "bench")]
    public async Task What_cannot_be_done_is_one_line_and_exit_code_1(string words, params string[] arguments)
    {
        var ended = await Workbook.RunAsync(arguments);
        Assert.Equal((1, ""), (ended.Code, ended.Output));
        Assert.Contains(words, ended.Line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter '", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_pipe_ends_the_program_quietly()
    {
        Needs.Unix();
        var clock = Stopwatch.StartNew();
        var ended = await Workbook.ShellAsync($"$WORKBOOK generate {SmallMoe} --prompt 'the ' --max-tokens 1000000000 | head -c 4; exit ${{PIPESTATUS[0]}}");
        Assert.Equal((141, 4, ""), (ended.Code, ended.Output.Length, ended.Errors));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData("count mixtral-8x7b >/dev/full", "No space left")]
    [InlineData("logits tests/MoeWorkbook.Tests/Golden/mixtral-tiny --tokens 1 --json >/dev/full", "No space left")]
    [InlineData("generate data/checkpoints/small-moe --prompt a >/dev/full", "No space left")]
    [InlineData("count mixtral-8x7b >&-", "standard output cannot be written")]
    public async Task An_output_that_cannot_be_written_is_one_line(string line, string words)
    {
        Needs.Unix();
        var ended = await Workbook.ShellAsync($"$WORKBOOK {line}");
        Assert.Equal(1, ended.Code);
        Assert.Contains(words, ended.Line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_training_that_diverges_says_at_which_step_and_keeps_its_last_good_checkpoint()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("config.json"), """
            {
              "model": {
                "model_type": "mixtral", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
                "intermediate_size": 16, "num_local_experts": 2, "num_experts_per_tok": 1, "rms_norm_eps": 1e-5, "rope_theta": 10000.0
              },
              "corpus": { "synthetic": { "table_size": 20, "training_bytes": 30000, "validation_bytes": 10000 } },
              "training": { "steps": 60, "warmup_steps": 40, "learning_rate": 1e37, "batch_size": 2, "sequence_length": 16, "max_gradient_norm": 1e30 }
            }
            """);
        var ended = await Workbook.RunAsync("train", directory.Path("config.json"), "--output", directory.Path("model"), "--checkpoint-every", "1");
        Assert.Equal(1, ended.Code);
        Assert.Contains("diverged at step", ended.Line, StringComparison.Ordinal);
        string[] left = [.. Directory.EnumerateFileSystemEntries(directory.Path("model")).Select(path => Path.GetFileName(path)!)];
        Assert.All(left, name => Assert.StartsWith("checkpoint-", name, StringComparison.Ordinal));
        foreach (var checkpoint in left)
        {
            using var state = SafetensorsFile.Open(directory.Path($"model/{checkpoint}/state.safetensors"));
            foreach (var name in state.Entries.Keys.Where(name => name.StartsWith("weight.", StringComparison.Ordinal)))
                Assert.True(state.Read(name).isfinite().all().item<bool>(), name);
        }
    }

    [Theory, InlineData(3), InlineData(60), InlineData(200)]
    public async Task A_text_that_is_too_short_to_train_on_is_said_in_one_line(int bytes)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("short.txt"), new string('a', bytes));
        File.WriteAllText(directory.Path("config.json"), """
            {
              "model": {
                "model_type": "mixtral", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
                "intermediate_size": 16, "num_local_experts": 2, "num_experts_per_tok": 1, "rms_norm_eps": 1e-5, "rope_theta": 10000.0
              },
              "corpus": { "text": { "files": ["short.txt"] } },
              "training": { "steps": 60, "sequence_length": 64 }
            }
            """);
        var ended = await Workbook.RunAsync("train", directory.Path("config.json"), "--output", directory.Path("model"));
        Assert.Equal((1, ""), (ended.Code, ended.Output));
        Assert.Contains("a sequence of 64", ended.Line, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter '", ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_directory_takes_one_training()
    {
        using var directory = new TemporaryDirectory();
        var output = directory.Path("model");
        using var first = Workbook.Start("train", Training, "--output", output);
        while (!File.Exists(Path.Combine(output, ".train.lock")) && !first.HasExited)
            await Task.Delay(20);
        var second = await Workbook.RunAsync("train", Training, "--output", output);
        Assert.Equal(1, second.Code);
        Assert.Contains("another run", second.Line, StringComparison.Ordinal);
        first.Kill();
        await first.WaitForExitAsync();
        // What a run leaves that was killed does not keep the next one out.
        using var third = Workbook.Start("train", Training, "--output", output, "--resume");
        var line = await third.StandardOutput.ReadLineAsync();
        Assert.Contains("entropy", line, StringComparison.Ordinal);
        third.Kill();
        await third.WaitForExitAsync();
    }

    [Fact]
    public async Task A_run_of_notebooks_that_is_interrupted_says_so()
    {
        Needs.Unix();
        using var directory = new TemporaryDirectory();
        var process = Workbook.Start("run", "00", "--output", directory.Path("site"));
        await Task.Delay(TimeSpan.FromSeconds(3));
        Workbook.Interrupt(process);
        var ended = await Workbook.EndAsync(process);
        Assert.Equal(130, ended.Code);
        Assert.EndsWith("workbook: stopped before the end.\n", ended.Errors, StringComparison.Ordinal);
    }
}
