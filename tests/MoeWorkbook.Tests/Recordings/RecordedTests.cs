using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Recordings;

/// <summary>What the chapters say about the recorded run and the trained model in <c>data</c>.</summary>
public sealed class RecordedTests
{
    private static readonly string _data = Path.Combine(Repository.Root, "data");

    [Theory, InlineData("32 experts, top-1"), InlineData("32 halves, top-2"), InlineData("64 quarters, top-4")]
    public void A_mixture_of_experts_needs_at_least_one_and_a_half_times_fewer_steps_than_the_dense_model_of_equal_active_parameters(string name)
    {
        var speedUp = InSteps(name);
        Assert.True(speedUp.Ratio.Low > 1.5, speedUp.ToString());
        Assert.True(speedUp.Ratio.Value < InSteps("dense, equal total").Ratio.Value);
    }

    [Fact]
    public void More_experts_help_and_finer_ones_help_more()
    {
        string[] rising = ["4 experts, top-1", "8 experts, top-1", "16 experts, top-1", "32 experts, top-1", "32 halves, top-2", "64 quarters, top-4"];
        Assert.Equal(rising, rising.OrderBy(name => InSteps(name).Ratio.Value));
    }

    [Fact]
    public void The_experts_of_the_trained_model_tell_more_about_the_domain_than_chance_in_every_layer()
    {
        const int length = 12_288;
        using var model = HuggingFaceDirectory.Load(Path.Combine(_data, "checkpoints", "small-moe"), dtype: ScalarType.Float32);
        var corpus = SyntheticCorpus.Generate(new() { TableSize = 150, TrainingBytes = 200_000, ValidationBytes = 20_000 }).WithEndOfText();
        int[] tokens = corpus.Validation.Tokens[..length].ToArray(), domains = corpus.Validation.Domains[..length].ToArray();
        var segments = new int[length];
        for (var i = 1; i < length; i++) segments[i] = segments[i - 1] + (domains[i] == domains[i - 1] ? 0 : 1);
        var routed = RoutedText.Of(model, tokens, window: 64);
        Assert.Equal(corpus.VocabularySize, model.Config.VocabularySize);
        for (var layer = 0; layer < routed.LayerCount; layer++)
        {
            var measured = MoeWorkbook.Specialization.Of(domains, routed.Experts(layer), tokens, segments, resamples: 100);
            Assert.True(measured.GivenByte.Low > measured.Shuffled.High + 0.05, $"layer {layer}: {measured}");
        }
    }

    [Fact]
    public void The_trained_model_has_a_shape_and_files_that_other_engines_take()
    {
        var folder = Path.Combine(_data, "checkpoints", "small-moe");
        var config = HuggingFaceConfig.Read(folder);
        Assert.Equal(("olmoe", 257, false), (config.ModelType, config.VocabularySize, config.TiedEmbeddings));
        Assert.Equal(config.HiddenSize,
            config.Attention.HeadCount * config.Attention.HeadSize); // and as many key and value heads: its norms span the whole width
        Assert.Equal(config.Attention.HeadCount, config.Attention.KeyValueHeadCount);
        Assert.True(config.Attention.HeadSize >= 32 && config.Moe!.IntermediateSize % 32 == 0); // the sizes that vLLM has kernels for on a CPU
        Assert.NotNull(config.MaxPositions);
        Assert.Equal(1e-5, config.Norm.Epsilon); // engines that know OLMoE take it for granted
        foreach (var file in new[] { "config.json", "generation_config.json" })
            Assert.Equal(256, JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!["eos_token_id"]!.GetValue<int>());
        Assert.Equal(256, Tokenizer.Load(folder).IdOf(JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer_config.json")))!["eos_token"]!.GetValue<string>()));
    }

    [Theory, InlineData("the "), InlineData("2026-"), InlineData("12*")]
    public void The_trained_model_ends_a_text_itself(string prompt)
    {
        using var model = HuggingFaceDirectory.Load(Path.Combine(_data, "checkpoints", "small-moe"), dtype: ScalarType.Float32);
        var written = model.Generate([.. prompt.Select(letter => (long)letter)], new(model.Config.MaxPositions!.Value * 4) { StopTokens = [256] });
        Assert.Equal(256, written[^1]);
    }

    [Fact]
    public void Without_balancing_every_seed_collapses_and_with_a_selection_bias_none_does()
    {
        var runs = Runs("06-expert-collapse");
        double[] Violations(string name) => [.. runs.Where(run => run.Name == name).Select(run => run.Validations[^1].WorstLoad().MaxViolation)];
        var (without, with) = (Violations("no balancing"), Violations("selection bias"));
        Assert.Equal((5, 5), (without.Count(violation => violation >= 2), with.Length));
        Assert.True(with.Max() < without.Min() / 10, $"{with.Max()} against {without.Min()}");
    }

    [Fact]
    public void Collapse_costs_loss_against_the_auxiliary_loss()
    {
        var runs = Runs("06-expert-collapse");
        var cost = Estimate.MeanDifference(Losses(runs, "no balancing"), Losses(runs, "auxiliary loss"));
        Assert.True(cost.Low > 0, cost.Interval);
    }

    [Fact]
    public void Too_strong_an_auxiliary_loss_is_even_and_costs_loss()
    {
        var runs = Runs("07-keeping-experts-alive");
        var cost = Estimate.MeanDifference(Losses(runs, "auxiliary 10"), Losses(runs, "nothing"));
        Assert.True(cost.Low > 0, cost.Interval);
        double[] MaxViolations(string name) => [.. runs.Where(run => run.Name == name).Select(run => run.Validations[^1].WorstLoad().MaxViolation)];
        Assert.True(MaxViolations("auxiliary 10").Max() < MaxViolations("nothing").Min());
        Assert.All(runs.Where(run => run.Name == "expert choice"), run => Assert.Equal(0, run.Validations[^1].WorstLoad().MaxViolation, 1e-2));
    }

    private static IReadOnlyList<TrainingRun> Runs(string recording) => TrainingRecording.Read(Path.Combine(_data, "recorded", $"{recording}.json")).Runs;

    private static double[] Losses(IEnumerable<TrainingRun> runs, string name) =>
        [.. runs.Where(run => run.Name == name).OrderBy(run => run.Seed).Select(run => run.FinalLoss)];

    private static SpeedUp InSteps(string name)
    {
        var runs = Runs("09-sparse-against-dense");
        return SpeedUp.ToEqualLoss(Curves("dense, equal active"), Curves(name));

        IReadOnlyList<(double, double)>[] Curves(string model) =>
            [.. runs.Where(run => run.Name == model).OrderBy(run => run.Seed).Select(run => run.Curve(TrainingCost.Steps))];
    }
}
