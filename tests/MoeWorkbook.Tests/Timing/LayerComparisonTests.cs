using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Timing;

public class LayerComparisonTests
{
    private static readonly MeasurementOptions _quick = new() { Rounds = 2, FewestRounds = 1, WarmUpRounds = 0, ShortestSample = TimeSpan.Zero };

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void A_dense_block_on_the_experts_storage_is_the_sum_of_its_experts(int count)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var experts = new ExpertWeights(4, 6, 10, weights: new() { StandardDeviation = 1 });
        var dense = new DenseOfExperts(experts, count);
        var hidden = randn(3, 6);

        var expected = experts.Unbind().Take(count).Select(expert => expert.Forward(hidden)).Aggregate((sum, next) => sum + next);
        Assert.True(allclose(expected, dense.Forward(hidden), rtol: 1e-4, atol: 1e-4));
        Assert.True(allclose(expected, new SortedExperts().Run(hidden, dense.Everywhere(3), experts), rtol: 1e-4, atol: 1e-4));
    }

    [Fact]
    public void All_experts_as_one_block_are_a_feed_forward_block_of_their_summed_size()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var experts = new ExpertWeights(3, 4, 5, weights: new() { StandardDeviation = 1 });
        var block = new FeedForward(4, 15);
        var parameters = block.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        parameters["gate_proj.weight"].copy_(cat([.. experts.GateUp.unbind().Select(weight => weight.narrow(0, 0, 5))], 0));
        parameters["up_proj.weight"].copy_(cat([.. experts.GateUp.unbind().Select(weight => weight.narrow(0, 5, 5))], 0));
        parameters["down_proj.weight"].copy_(cat(experts.Down.unbind(), 1));
        var hidden = randn(2, 4);
        Assert.True(allclose(block.forward(hidden), new DenseOfExperts(experts, 3).Forward(hidden), rtol: 1e-4, atol: 1e-4));
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
    public void A_layer_is_timed_against_both_dense_blocks()
    {
        using var experts = SyntheticWeights.Experts(4, 8, 16, ScalarType.Float32);
        var timings = new LayerComparison(experts, 2, new SortedExperts()).Measure([1, 8], RoutingPattern.Collapsed, _quick);
        Assert.Equal([1, 8], timings.Select(timing => timing.Tokens));
        Assert.All(timings, timing =>
        {
            Assert.Equal(2, timing.TouchedExperts);
            Assert.True(timing.Moe.Seconds.Value > 0 && timing.AdvantageOverTotal.Value > 0 && timing.CostOverActive.Value > 0);
            Assert.StartsWith("dense, equal total", timing.EqualTotal.Name, StringComparison.Ordinal);
        });
        Assert.Equal(4 * (1 - Math.Pow(0.5, 8)), timings[1].ExpectedExperts, 9);
    }

    [Fact]
    public void Models_of_equal_total_and_equal_active_parameters_are_decoded_and_prefilled()
    {
        using var trio = new ModelTrio(ModelConfig.Dense(16, 2, 2, 1, 24, 50), 4, 2, ScalarType.Float32);
        var (moe, total, active) = (ParameterCount.Of(trio.Moe.Config), ParameterCount.Of(trio.EqualTotal.Config), ParameterCount.Of(trio.EqualActive.Config));
        long routers = moe.TotalByComponent[ModelComponent.Router];
        Assert.Equal(moe.TotalParameters - routers, total.TotalParameters);
        Assert.Equal(moe.ActiveParameters - routers, active.TotalParameters);

        Assert.Equal(3, ModelTiming.Decode(trio.Named, context: 3, batch: 2, options: _quick).Measurements.Count);
        Assert.All(ModelTiming.Prefill(trio.Named, 5, _quick).Measurements, model => Assert.True(model.Seconds.Value > 0));
    }
}
