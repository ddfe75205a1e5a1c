using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Timing;

public sealed class LayerComparisonTests
{
    private static readonly MeasurementOptions _quick = new() { Rounds = 2, FewestRounds = 1, WarmUpRounds = 0, ShortestSample = TimeSpan.Zero };

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_dense_block_on_the_experts_storage_is_the_sum_of_its_experts(int count)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var experts = new ExpertWeights(4, 6, 10, init: new() { StandardDeviation = 1 });
        var hidden = randn(3, 6);
        var routing = SyntheticRouting.Decide(RoutingPattern.Uniform, 3, 4, 2);

        var expected = experts.Unbind().Take(count).Select(expert => expert.Forward(hidden)).Aggregate((sum, next) => sum + next);
        Assert.True(allclose(expected, new DenseBaseline(count).Run(hidden, routing, experts), rtol: 1e-4, atol: 1e-4));
        Assert.True(allclose(expected, new DenseBaseline(count, new SortedExperts()).Run(hidden, routing, experts), rtol: 1e-4, atol: 1e-4));
    }

    [Fact]
    public void A_dense_block_of_quantised_experts_is_the_sum_of_the_experts_that_they_stand_for()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var experts = new ExpertWeights(4, 64, 32, init: new() { StandardDeviation = 1 });
        using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int8);
        using var restored = quantized.Dequantize();
        var hidden = randn(3, 64);
        var routing = SyntheticRouting.Decide(RoutingPattern.Uniform, 3, 4, 2);
        var (result, expected) = (new DenseBaseline(3).Run(hidden, routing, quantized), new DenseBaseline(3).Run(hidden, routing, restored));
        Assert.True(((result - expected).norm() / expected.norm()).item<float>() < 0.02);
        Assert.Contains("there are 4", Assert.Throws<ArgumentException>(() => new DenseBaseline(5).Run(hidden, routing, quantized)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_experts_than_there_are_make_no_dense_block()
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(2, 4, 4);
        var routing = SyntheticRouting.Decide(RoutingPattern.Uniform, 1, 2, 1);
        Assert.Contains("there are 2", Assert.Throws<ArgumentException>(() => new DenseBaseline(3).Run(randn(1, 4), routing, experts)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_experts_as_one_block_are_a_feed_forward_block_of_their_summed_size()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var experts = new ExpertWeights(3, 4, 5, init: new() { StandardDeviation = 1 });
        var block = new FeedForward(4, 15);
        var parameters = block.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        parameters["gate_proj.weight"].copy_(cat([.. experts.GateUp.unbind().Select(weight => weight.narrow(0, 0, 5))], 0));
        parameters["up_proj.weight"].copy_(cat([.. experts.GateUp.unbind().Select(weight => weight.narrow(0, 5, 5))], 0));
        parameters["down_proj.weight"].copy_(cat(experts.Down.unbind(), 1));
        var hidden = randn(2, 4);
        Assert.True(allclose(block.forward(hidden),
            new DenseBaseline(3).Run(hidden, SyntheticRouting.Decide(RoutingPattern.Uniform, 2, 3, 1), experts), rtol: 1e-4, atol: 1e-4));
    }

    [Fact]
    public void Synthetic_weights_are_all_written_and_small()
    {
        using var scope = NewDisposeScope();
        using var experts = SyntheticWeights.Experts(3, 8, 1000, ScalarType.BFloat16);
        Assert.Equal([3, 2000, 8], experts.GateUp.shape);
        Assert.Equal(ScalarType.BFloat16, experts.Down.dtype);
        var values = experts.GateUp.to(ScalarType.Float32).data<float>().ToArray();
        Assert.All(values, value => Assert.InRange(value, -0.2f, 0.2f));
        Assert.InRange(values.Count(value => value == 0), 0, 10);
    }

    [Fact]
    public void A_synthetic_model_gives_finite_logits_and_its_router_spreads_tokens()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = SyntheticWeights.Model(ModelConfig.Dense(16, 2, 2, 1, 24, 50).MixtureOfExperts(4, 1), ScalarType.Float32);
        var routing = new List<RoutingDecision>();
        var logits = model.forward(arange(50, ScalarType.Int64).view(1, 50), cache: null, routing);
        Assert.True(logits.isfinite().all().item<bool>());
        Assert.True(ExpertsTouched.In(routing[0]) > 1);
    }

    [Fact]
    public void A_layer_is_timed_against_both_dense_blocks()
    {
        using var experts = SyntheticWeights.Experts(4, 8, 16, ScalarType.Float32);
        var timings = new LayerComparison(experts, 2, new SortedExperts()).Measure([1, 8], [RoutingPattern.Collapsed, RoutingPattern.Balanced], _quick);
        Assert.Equal([1, 1, 8, 8], timings.Select(timing => timing.Tokens));
        Assert.All(timings, timing =>
        {
            Assert.Equal(timing.Pattern == RoutingPattern.Collapsed || timing.Tokens == 1 ? 2 : 4, timing.TouchedExperts);
            Assert.True(timing.Moe.Seconds.Value > 0 && timing.AdvantageOverTotal.Value > 0 && timing.CostOverActive.Value > 0);
        });
        Assert.Equal(4 * (1 - Math.Pow(0.5, 8)), timings[2].ExpectedExperts, 9);
    }

    [Fact]
    public void A_model_is_decoded_and_prefilled_beside_both_dense_ones_and_keeps_its_runners()
    {
        using var model = new CausalLanguageModel(ModelConfig.Dense(16, 2, 2, 1, 24, 50).MixtureOfExperts(4, 2));
        var runner = model.Decoder.Layers[0].Moe!.Runner;
        var comparison = new ModelComparison(model, new SortedExperts());
        string[] names = ["Mixture of Experts", "dense, equal total", "dense, equal active"];
        Assert.Equal(names, comparison.Decode(batch: 2, context: 3, _quick).Measurements.Select(one => one.Name));
        Assert.All(comparison.Prefill(5, _quick).Measurements, one => Assert.True(one.Seconds.Value > 0));
        Assert.Same(runner, model.Decoder.Layers[0].Moe!.Runner);
    }

    [Fact]
    public void A_dense_model_has_nothing_to_compare()
    {
        using var model = new CausalLanguageModel(ModelConfig.Dense(16, 1, 2, 1, 24, 50));
        Assert.Contains("no experts", Assert.Throws<ArgumentException>(() => new ModelComparison(model, new SortedExperts())).Message, StringComparison.Ordinal);
    }
}
