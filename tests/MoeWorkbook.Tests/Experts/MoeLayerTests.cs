using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class MoeLayerTests
{
    [Fact]
    public void With_one_expert_that_every_token_visits_the_layer_is_that_expert()
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(1, 8, 6, init: new() { StandardDeviation = 1 });
        using var layer = new MoeLayer(new SoftmaxTopKRouter(8, 1, 1), experts);
        var hidden = randn(2, 3, 8);
        var expected = experts.Unbind()[0].Forward(hidden.view(6, 8)).view(2, 3, 8);
        Assert.True(layer.forward(hidden).allclose(expected, atol: 1e-5));
    }

    [Fact]
    public void With_all_experts_and_equal_weights_the_output_is_their_mean()
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(3, 8, 6, init: new() { StandardDeviation = 1 });
        using var layer = new MoeLayer(new UniformRouter(8, 3, 3), experts);
        var hidden = randn(1, 4, 8);
        var mean = stack(experts.Unbind().Select(expert => expert.Forward(hidden.view(4, 8))), 0).mean([0L]);
        Assert.True(layer.forward(hidden).view(4, 8).allclose(mean, atol: 1e-5));
    }

    [Fact]
    public void The_shared_expert_is_added_and_its_gate_scales_it()
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(2, 8, 6);
        using var shared = new FeedForward(8, 5, init: new() { StandardDeviation = 1 });
        using var gate = new Projection(8, 1);
        using var router = new UniformRouter(8, 2, 1);
        var hidden = randn(1, 4, 8);
        var routed = new MoeLayer(router, experts).forward(hidden);
        Assert.True(new MoeLayer(router, experts, shared).forward(hidden).allclose(routed + shared.forward(hidden), atol: 1e-6));
        var gated = routed + gate.forward(hidden).sigmoid() * shared.forward(hidden);
        Assert.True(new MoeLayer(router, experts, shared, gate).forward(hidden).allclose(gated, atol: 1e-6));
    }

    [Fact]
    public void Capacity_drops_what_exceeds_it_and_the_recorded_decision_says_so()
    {
        using var scope = NewDisposeScope();
        using var layer = new MoeLayer(new UniformRouter(8, 4, 2), new ExpertWeights(4, 8, 6));
        var routing = new List<RoutingDecision>();
        using var context = new ForwardContext { Routing = routing };
        layer.forward(randn(1, 8, 8), context);
        layer.Capacity = new(0.5);
        layer.forward(randn(1, 8, 8), context);
        Assert.Equal(0, LoadStatistics.Of(routing[0]).DroppedShare);
        Assert.Equal(0.5, LoadStatistics.Of(routing[1]).DroppedShare);
    }

    [Fact]
    public void A_config_names_the_router_and_an_unsupported_one_is_refused()
    {
        var config = ModelConfig.Dense(16, 1, 2, 2, 32, 20).MixtureOfExperts(4, 2);
        ModelConfig With(Func<MoeConfig, MoeConfig> change) => config with { Moe = change(config.Moe!) };
        Assert.IsType<SoftmaxTopKRouter>(MoeLayer.FromConfig(config).Router);
        Assert.IsType<SigmoidTopKRouter>(MoeLayer.FromConfig(With(moe => moe with { Router = RouterKind.SigmoidTopK })).Router);
        Assert.IsType<SwitchRouter>(MoeLayer.FromConfig(With(moe => moe with { Router = RouterKind.Switch })).Router);
        Assert.Contains("SparseMixer", Assert.Throws<NotSupportedException>(() => MoeLayer.FromConfig(With(moe => moe with { Router = RouterKind.SparseMixer }))).Message);
        Assert.Contains("2 groups", Assert.Throws<NotSupportedException>(() => MoeLayer.FromConfig(With(moe => moe with { GroupCount = 2 }))).Message);
    }

    [Fact]
    public void Wrong_shapes_are_named()
    {
        using var scope = NewDisposeScope();
        using var layer = new MoeLayer(new UniformRouter(8, 4, 2), new ExpertWeights(4, 8, 6));
        Assert.Contains("hidden has shape [3, 8] but [batch, sequence, hidden = 8]", Assert.Throws<ArgumentException>(() => layer.forward(zeros(3, 8))).Message);
        using var context = new ForwardContext { TokenIds = zeros(1, 2, ScalarType.Int64) };
        Assert.Contains("input.TokenIds has shape [1, 2] but [batch = 1, sequence = 3]", Assert.Throws<ArgumentException>(() => layer.forward(zeros(1, 3, 8), context)).Message);
        Assert.Throws<ArgumentNullException>(() => layer.Runner = null!);
    }
}
