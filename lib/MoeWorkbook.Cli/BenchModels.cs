using System.CommandLine;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>bench decode</c> and <c>bench prefill</c>: whole small models, a Mixture of Experts between two dense ones.</summary>
internal static class BenchModels
{
    public static Command CreateDecode()
    {
        var batches = BenchCommand.Numbers("--batch", "Numbers of sequences.", "1,4,16");
        return Create("decode", "Tokens a second with a key-value cache: Mixture of Experts, dense of equal total and of equal active parameters.", batches,
            "batch", "tokens a second", (models, batch, options) => (models.Decode(batch, options: options), batch));
    }

    public static Command CreatePrefill()
    {
        var prompts = BenchCommand.Numbers("--tokens", "Lengths of the prompt.", "16,64,256,512");
        return Create("prefill", "Time to the first token of a prompt: Mixture of Experts, dense of equal total and of equal active parameters.", prompts,
            "prompt", "tokens a second", (models, prompt, options) => (models.Prefill(prompt, options), prompt));
    }

    private static Command Create(string name, string description, Option<int[]> sizes, string size, string rate,
        Func<ModelComparison, int, MeasurementOptions, (Comparison Times, int TokensPerStep)> measure)
    {
        var rounds = NumberOption.Whole("--rounds", "Rounds; in each every model has its turn.", 9);
        var hidden = NumberOption.Whole("--hidden", "Size of the hidden states; a multiple of 64.", 1024, least: 64);
        var feedForward = NumberOption.Whole("--intermediate-size", "Inner size of one expert.", 3584);
        var layers = NumberOption.Whole("--layers", "Number of layers.", 6);
        var experts = NumberOption.Whole("--experts", "Number of experts.", 8);
        var topK = NumberOption.Whole("--top-k", "Experts of each token.", 2);
        var type = new Option<string>("--dtype") { Description = "Type of the weights.", DefaultValueFactory = _ => "float32" };
        type.AcceptOnlyFromAmong("float32", "bfloat16");
        var json = BenchCommand.Json();
        var command = new Command(name, description) { sizes, rounds, hidden, feedForward, layers, experts, topK, type, json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(topK) > parsed.GetValue(experts)) throw new UsageException("--top-k must not exceed --experts.", command);
            if (parsed.GetValue(hidden) % 64 != 0) throw new UsageException("--hidden must be a multiple of 64.", command);
            var heads = parsed.GetValue(hidden) / 64;
            var dense = ModelConfig.Dense(parsed.GetValue(hidden), parsed.GetValue(layers), heads, heads % 4 == 0 ? heads / 4 : heads,
                parsed.GetValue(feedForward), vocabularySize: 8192);
            BenchCommand.Progress("making the model");
            var config = dense.MixtureOfExperts(parsed.GetValue(experts), parsed.GetValue(topK));
            using var model =
                SyntheticWeights.Model(config, parsed.GetValue(type) == "float32" ? ScalarType.Float32 : ScalarType.BFloat16, device: ComputeDevice.Current);
            var models = new ModelComparison(model, new FastExperts());
            var options = new MeasurementOptions { Rounds = parsed.GetValue(rounds), Limit = TimeSpan.FromMinutes(1) };
            var results = new List<(int Size, Comparison Times, int TokensPerStep)>();
            foreach (var count in parsed.GetValue(sizes)!)
            {
                BenchCommand.Progress($"{size} {count}");
                var (times, tokens) = measure(models, count, options);
                results.Add((count, times, tokens));
            }

            if (!parsed.GetValue(json))
            {
                Console.WriteLine(Table(results));
                return;
            }

            var parameters = Models(dense, config);
            var rows = results.SelectMany(r => r.Times.Measurements.Select(m => Row(m, parameters[m.Name]!, r.Size, r.TokensPerStep, r.Times)));
            BenchCommand.Print(new() { ["dtype"] = parsed.GetValue(type), ["models"] = parameters, ["rows"] = new JsonArray([.. rows]) });
        });
        return command;

        JsonNode Row(Measurement measurement, JsonNode parameters, int count, int tokens, Comparison times) => new JsonObject
        {
            ["model"] = measurement.Name,
            ["total_parameters"] = (long)parameters["total_parameters"]!,
            ["active_parameters"] = (long)parameters["active_parameters"]!,
            [size] = count,
            ["milliseconds"] = JsonText.Rounded(measurement.Milliseconds.Value),
            ["milliseconds_low"] = JsonText.Rounded(measurement.Milliseconds.Low),
            ["milliseconds_high"] = JsonText.Rounded(measurement.Milliseconds.High),
            ["tokens_per_second"] = JsonText.Rounded(tokens / measurement.Seconds.Value),
            ["times_mixture_of_experts"] = JsonText.Rounded(times.Ratio(measurement.Name, times.Measurements[0].Name).Value),
        };

        Table Table(IEnumerable<(int Size, Comparison Times, int TokensPerStep)> results) => new(
            [new(size), Column.Text("model"), new("median", "ms"), new("interval", "ms"), new(rate), new("time / Mixture of Experts")],
            results.SelectMany(r => r.Times.Measurements.Select(m => (string[])
            [
                $"{r.Size}", m.Name, $"{m.Milliseconds}", m.Milliseconds.Interval, $"{m.Seconds.Inverse().Times(r.TokensPerStep)}",
                m == r.Times.Measurements[0] ? "1" : $"{r.Times.Ratio(m.Name, r.Times.Measurements[0].Name)}",
            ])));
    }

    private static JsonObject Models(ModelConfig dense, ModelConfig moe)
    {
        return new()
        {
            ["Mixture of Experts"] = Count(moe),
            ["dense, equal total"] = Count(dense with { IntermediateSize = moe.Moe!.ExpertCount * dense.IntermediateSize }),
            ["dense, equal active"] = Count(dense with { IntermediateSize = moe.Moe.ExpertsPerToken * dense.IntermediateSize }),
        };

        static JsonObject Count(ModelConfig config)
        {
            var count = ParameterCount.Of(config);
            return new() { ["total_parameters"] = count.TotalParameters, ["active_parameters"] = count.ActiveParameters };
        }
    }
}
