using System.Diagnostics;
using MoeWorkbook.Tests.Training;

namespace MoeWorkbook.Tests.Cli;

[Trait("Category", "Slow")]
public sealed class TrainCommandTests
{
    private const int Kills = 10;

    private const string Config = """
        {
          "model": {
            "model_type": "mixtral", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
            "intermediate_size": 16, "num_local_experts": 4, "num_experts_per_tok": 2, "rms_norm_eps": 1e-5, "rope_theta": 10000.0
          },
          "corpus": { "synthetic": { "table_size": 20, "training_bytes": 30000, "validation_bytes": 10000 } },
          "training": { "steps": 60, "batch_size": 4, "sequence_length": 32, "validate_every": 20, "validation_tokens": 300 },
          "balancing": { "auxiliary_loss_weight": 0.01, "capacity": { "factor": 1.5, "policy": "random" } }
        }
        """;

    [Fact]
    public void Killed_at_ten_random_moments_a_run_resumes_to_the_same_history()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("config.json"), Config);
        Assert.Equal(0, Finished(Start(directory, "whole")).Code);

        var random = new Random(4);
        var killed = 0;
        for (var i = 0; i < Kills; i++)
        {
            var step = random.Next(5 * i, 5 * i + 5);
            using var process = Start(directory, "killed", "--resume", "--checkpoint-every", "1");
            while (!process.HasExited && LastCheckpoint(directory.Path("killed")) < step) Thread.Sleep(1);
            if (!process.WaitForExit(random.Next(10)))
            {
                process.Kill(); // SIGKILL
                killed++;
            }

            process.WaitForExit();
        }

        Assert.True(killed >= Kills / 2, $"only {killed} of {Kills} runs were still running when they were to be killed");
        var (_, errors, code) = Finished(Start(directory, "killed", "--resume"));
        Assert.True(code == 0, errors);
        Assert.Equal(HistoryFile.WithoutTimes(directory.Path("whole/history.jsonl")), HistoryFile.WithoutTimes(directory.Path("killed/history.jsonl")));
        Assert.Equal(File.ReadAllBytes(directory.Path("whole/model.safetensors")), File.ReadAllBytes(directory.Path("killed/model.safetensors")));
        Assert.Equal(
            ["config.json", "generation_config.json", "history.jsonl", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
            Directory.EnumerateFileSystemEntries(directory.Path("killed")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_interrupt_leaves_a_checkpoint()
    {
        Needs.Unix();
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("config.json"), Config);
        using var process = Start(directory, "run", "--steps", "1000000");
        while (await process.StandardOutput.ReadLineAsync() is { } line && !line.StartsWith("step ", StringComparison.Ordinal)) { }
        Workbook.Interrupt(process);
        var rest = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Contains("--resume goes on", rest);
        Assert.Equal(130, process.ExitCode);
        Assert.Single(Directory.GetDirectories(directory.Path("run"), "checkpoint-*"));
    }

    [Theory]
    [InlineData("\"steps\": 60", "\"stebs\": 60", "the key \"training.stebs\" is not known; allowed are steps, batch_size")]
    [InlineData("\"balancing\"", "\"balance\"", "the key \"balance\" is not known; allowed are model, corpus, training, balancing")]
    [InlineData("\"steps\": 60", "\"steps\": 0", "Steps is 0; it must be at least 1")]
    [InlineData("\"factor\": 1.5", "\"factor\": -1", "Factor must be a positive number")]
    [InlineData("\"random\"", "\"whim\"", "\"balancing\" cannot be understood")]
    [InlineData("\"synthetic\"", "\"poems\"", "the key \"corpus.poems\" is not known; allowed are synthetic, text")]
    [InlineData("\"table_size\": 20", "\"table_size\": 0", "TableSize")]
    [InlineData("\"hidden_size\": 16, ", "", "hidden_size")]
    [InlineData("\"auxiliary_loss_weight\": 0.01", "\"router\": \"expert_choice\"", "cannot express Moe")]
    [InlineData("\"auxiliary_loss_weight\": 0.01", "\"losses\": []", "the key \"balancing.losses\" is not known; allowed are auxiliary_loss_weight, z_loss_weight")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"router_aux_loss_coef\": 0.5", "\"balancing.auxiliary_loss_weight\" is 0.01 but the model's own weight of that loss (router_aux_loss_coef) is 0.5")]
    [InlineData("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"attention_dropout\": 0.1", "\"attention_dropout\" is 0.1, which nothing here follows in training")]
    public void A_wrong_file_is_refused_with_what_is_allowed(string right, string wrong, string message)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("config.json"), Config.Replace(right, wrong, StringComparison.Ordinal));
        var (_, errors, code) = Finished(Start(directory, "run"));
        Assert.Equal(1, code);
        Assert.Contains(message, errors);
        Assert.False(Directory.Exists(directory.Path("run")));
    }

    [Fact]
    public void The_models_own_weight_of_the_balancing_loss_acts_as_the_options_does()
    {
        using var directory = new TemporaryDirectory();
        var inOptions = Config.Replace("0.01", "0.5", StringComparison.Ordinal);
        var inModel = Config.Replace("\"auxiliary_loss_weight\": 0.01, ", "", StringComparison.Ordinal).Replace("\"rope_theta\": 10000.0", "\"rope_theta\": 10000.0, \"router_aux_loss_coef\": 0.5", StringComparison.Ordinal);
        var inNeither = Config.Replace("\"auxiliary_loss_weight\": 0.01, ", "", StringComparison.Ordinal);
        var histories = new List<string>();
        foreach (var (name, config) in new[] { ("options", inOptions), ("model", inModel), ("neither", inNeither) })
        {
            File.WriteAllText(directory.Path("config.json"), config);
            var (_, errors, code) = Finished(Start(directory, name));
            Assert.True(code == 0, errors);
            histories.Add(string.Join('\n', HistoryFile.WithoutTimes(directory.Path($"{name}/history.jsonl"))));
        }

        Assert.Equal(histories[0], histories[1]);
        Assert.NotEqual(histories[0], histories[2]);
    }

    private static Process Start(TemporaryDirectory directory, string output, params string[] options) => Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "MoeWorkbook.Cli.dll"), "train", directory.Path("config.json"), "--output", directory.Path(output), .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [ComputeDevice.Variable] = "cpu" }, // a GPU adds in no fixed order, and histories are compared bit for bit
        })!;

    private static int LastCheckpoint(string run) => Directory.Exists(run)
        ? Directory.GetDirectories(run, "checkpoint-*").Select(path => int.TryParse(path.AsSpan(path.LastIndexOf('-') + 1), out var step) ? step : 0).Append(0).Max()
        : 0;

    private static (string Output, string Errors, int Code) Finished(Process process)
    {
        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (output, errors.Result, process.ExitCode);
        }
    }
}
