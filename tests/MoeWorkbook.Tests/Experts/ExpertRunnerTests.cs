using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class ExpertRunnerTests
{
    public static TheoryData<string> Routers => ["softmax", "softmax-plain", "switch", "noisy", "gshard", "sigmoid", "expert-choice", "expert-threshold", "hash", "sinkhorn",
        "uniform"];

    private static readonly (FeedForwardKind Kind, bool Bias)[] _kinds =
        [(FeedForwardKind.SwiGlu, false), (FeedForwardKind.ClampedSwiGlu, true), (FeedForwardKind.Relu, true)];

    [Theory]
    [MemberData(nameof(Routers))]
    public void Every_runner_gives_the_same_output_and_gradients(string name) =>
        RunnersAgree(name, CPU, [new SortedExperts(), new CapacityExperts(), new BatchedExperts()], tolerance: 1e-5);

    [Theory]
    [MemberData(nameof(Routers))]
    public void Every_router_and_runner_gives_the_same_output_and_gradients_on_a_GPU(string name) =>
        RunnersAgree(name, Needs.Cuda(),
            [new LoopExperts(), new SortedExperts(), new CapacityExperts(), new BatchedExperts(), new FastExperts()], tolerance: 1e-4);

    /// <summary>Runners on a device against the loop on the CPU.</summary>
    private static void RunnersAgree(string name, Device device, ExpertRunner[] runners, double tolerance)
    {
        using var scope = NewDisposeScope();
        // Few tokens for twelve experts, so that some experts have none; and many.
        foreach (var tokens in new[] { 5, 40 })
        {
            foreach (var (kind, bias) in _kinds)
            {
                var reference = Run(new LoopExperts(), CPU);
                Assert.True(reference[0].abs().max().item<float>() > 0.01);
                foreach (var runner in runners)
                {
                    var result = Run(runner, device);
                    Assert.Equal(reference.Count, result.Count);
                    for (var i = 0; i < result.Count; i++)
                        Assert.True(result[i].allclose(reference[i], rtol: tolerance, atol: tolerance), $"{runner} {kind}, {tokens} tokens: part {i} differs");
                }

                List<Tensor> Run(ExpertRunner runner, Device on)
                {
                    using var generator = new Generator(11);
                    using var router = Router(name, on, generator);
                    router.train();
                    using var experts = new ExpertWeights(12, 8, 6, kind, bias, new(on) { StandardDeviation = 0.5, Generator = generator });
                    using (no_grad())
                        if (experts.GateUpBias is { } gateUpBias) gateUpBias.copy_(randn(gateUpBias.shape, generator: generator));
                    var hidden = randn(1, tokens, 8, generator: generator).to(on).requires_grad_();
                    var ids = arange(tokens, ScalarType.Int64, on).remainder(7).view(1, tokens);
                    var routing = router.forward(new(hidden, ids, generator));
                    var output = runner.Run(hidden.view(tokens, 8), routing, experts);
                    (output * arange(8, ScalarType.Float32, on)).sum().div(tokens).backward();
                    Tensor?[] parts = [output, hidden.grad, .. experts.parameters().Select(parameter => parameter.grad),
                        .. router.parameters().Select(parameter => parameter.grad)];
                    return [.. parts.OfType<Tensor>().Select(part => part.detach().cpu())];
                }
            }
        }
    }

    [Theory]
    [InlineData(RoutingPattern.Balanced, 12, 4, 3, true)] // each expert has nine tokens
    [InlineData(RoutingPattern.Realistic, 40, 12, 2, true)]
    [InlineData(RoutingPattern.Collapsed, 40, 12, 2, true)] // two experts have all, but the others are small
    [InlineData(RoutingPattern.Collapsed, 200, 12, 2, false)]
    [InlineData(RoutingPattern.Realistic, 200, 12, 2, false)] // the busiest has more than half of the tokens
    public void Batches_are_padded_where_idle_experts_are_small_and_padding_is_little(RoutingPattern pattern, int tokens, int count, int k, bool padded)
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(count, 8, 6, init: new() { StandardDeviation = 0.5 });
        var hidden = randn(tokens, 8);
        var routing = SyntheticRouting.Decide(pattern, tokens, count, k);
        Assert.False(BatchedExperts.Gathers(tokens * k, experts));
        Assert.Equal(padded, BatchedExperts.Pads(routing.Load().data<long>().ToArray(), BatchedExperts.BytesPerExpert(experts)));
        foreach (var drops in new[] { false, true })
        {
            if (drops) routing = new ExpertCapacity(0.5).Apply(routing);
            var loop = new LoopExperts().Run(hidden, routing, experts);
            Assert.True(new BatchedExperts().Run(hidden, routing, experts).allclose(loop, atol: 1e-5));
        }
    }

    [Fact]
    public void The_weights_of_a_few_small_experts_are_gathered_and_those_of_large_ones_are_not()
    {
        using var small = new ExpertWeights(8, 2048, 768, init: new(META, ScalarType.BFloat16));
        using var large = new ExpertWeights(8, 4096, 14336, init: new(META, ScalarType.BFloat16));
        Assert.True(BatchedExperts.Gathers(8, small));
        Assert.False(BatchedExperts.Gathers(17, small));
        Assert.False(BatchedExperts.Gathers(2, large));
        Assert.False(BatchedExperts.Pads([1, 1, 0, 0, 0, 0, 0, 0], BatchedExperts.BytesPerExpert(large)));
        Assert.True(BatchedExperts.Pads([9, 9, 0, 0, 0, 0, 0, 0], BatchedExperts.BytesPerExpert(small)));
    }

    [Fact]
    public void Large_experts_of_a_few_assignments_are_computed_one_by_one()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var experts = SyntheticWeights.Experts(8, 1024, 2800, ScalarType.Float32);
        Assert.False(BatchedExperts.Gathers(1, experts));
        foreach (var (pattern, tokens) in new[] { (RoutingPattern.Uniform, 1), (RoutingPattern.Collapsed, 3),
            (RoutingPattern.Realistic, 3), (RoutingPattern.Balanced, 8) })
        {
            var hidden = randn(tokens, 1024);
            var routing = SyntheticRouting.Decide(pattern, tokens, 8, 2, seed: 3);
            var dropping = routing with { Kept = routing.Kept.logical_and(routing.Experts.ne(routing.Experts[0])) };
            foreach (var decision in new[] { routing, dropping })
                Assert.True(new BatchedExperts().Run(hidden, decision, experts).allclose(new LoopExperts().Run(hidden, decision, experts), rtol: 1e-4,
                    atol: 1e-4), $"{pattern}, {tokens} tokens");
        }
    }

    [Fact]
    public void BFloat16_stays_within_a_thousandth_of_float32() => BFloat16IsClose(CPU);

    [Fact]
    public void BFloat16_stays_within_a_thousandth_of_float32_on_a_GPU() => BFloat16IsClose(Needs.Cuda());

    private static void BFloat16IsClose(Device device)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var generator = new Generator(2);
        using var rounded = new ExpertWeights(6, 64, 96, init: new(device, ScalarType.BFloat16) { StandardDeviation = 0.05, Generator = generator });
        using var exact = new ExpertWeights(6, 64, 96);
        exact.GateUp.copy_(rounded.GateUp);
        exact.Down.copy_(rounded.Down);
        foreach (var tokens in new[] { 1, 5, 60 })
        {
            var hidden = randn(tokens, 64, generator: generator).bfloat16();
            var expected = new LoopExperts().Run(hidden.to(ScalarType.Float32), SyntheticRouting.Decide(RoutingPattern.Uniform, tokens, 6, 2), exact);
            foreach (var runner in new ExpertRunner[] { new LoopExperts(), new SortedExperts(), new CapacityExperts(),
                new BatchedExperts(), new FastExperts() })
            {
                var output = runner.Run(hidden.to(device), SyntheticRouting.Decide(RoutingPattern.Uniform, tokens, 6, 2, device: device), rounded)
                    .to(ScalarType.Float32).cpu();
                var error = (output - expected).abs().max().item<float>();
                Assert.True(error <= 1e-3, $"{runner}, {tokens} tokens: {error}");
            }
        }
    }

    [Theory]
    [InlineData(DropPolicy.Position)]
    [InlineData(DropPolicy.BatchPrioritized)]
    [InlineData(DropPolicy.Random)]
    public void Every_runner_drops_the_same_assignments_and_a_token_without_one_gets_zero(DropPolicy policy)
    {
        using var scope = NewDisposeScope();
        using var router = new SoftmaxTopKRouter(8, 4, 2, init: new() { StandardDeviation = 1 });
        using var experts = new ExpertWeights(4, 8, 6);
        var hidden = randn(2, 6, 8);
        using var generator = new Generator(1);
        var routing = new ExpertCapacity(0.25, policy).Apply(router.forward(new(hidden)), generator);
        Assert.True(routing.Load(keptOnly: true).max().item<long>() <= 2);
        var loop = new LoopExperts().Run(hidden.view(12, 8), routing, experts);
        Assert.True(new SortedExperts().Run(hidden.view(12, 8), routing, experts).allclose(loop, atol: 1e-6));
        Assert.True(new CapacityExperts().Run(hidden.view(12, 8), routing, experts).allclose(loop, atol: 1e-6));
        Assert.True(new BatchedExperts().Run(hidden.view(12, 8), routing, experts).allclose(loop, atol: 1e-6));
        var keptPerToken = routing.Kept.view(12, 2).any(1);
        Assert.False(keptPerToken.all().item<bool>());
        Assert.Equal(0, loop[keptPerToken.logical_not()].abs().sum().item<float>());

        var none = routing with { Kept = zeros_like(routing.Kept) };
        foreach (var runner in new ExpertRunner[] { new LoopExperts(), new SortedExperts(), new CapacityExperts(), new BatchedExperts() })
            Assert.Equal(0, runner.Run(hidden.view(12, 8), none, experts).abs().sum().item<float>());
    }

    [Fact]
    public void Wrong_shapes_types_and_counts_are_named()
    {
        using var scope = NewDisposeScope();
        using var router = new UniformRouter(8, 4, 2);
        using var experts = new ExpertWeights(4, 8, 6);
        var routing = router.forward(new(randn(1, 3, 8)));
        var runner = new SortedExperts();
        Assert.Contains("hidden has shape [2, 8] but [tokens = 3, hidden = 8]", Assert.Throws<ArgumentException>(() => runner.Run(randn(2, 8), routing, experts)).Message);
        Assert.Contains("hidden has shape [3, 7] but [tokens = 3, hidden = 8]", Assert.Throws<ArgumentException>(() => runner.Run(randn(3, 7), routing, experts)).Message);
        Assert.Contains("Float64", Assert.Throws<ArgumentException>(() => runner.Run(randn(3, 8, ScalarType.Float64), routing, experts)).Message);
        using var more = new ExpertWeights(5, 8, 6);
        Assert.Contains("experts = 5", Assert.Throws<ArgumentException>(() => runner.Run(randn(3, 8), routing, more)).Message);
        Assert.Contains("experts = 4, rows, hidden = 8", Assert.Throws<ArgumentException>(() => experts.forward(randn(3, 2, 8))).Message);
        Assert.Contains("4 experts of hidden size 8", Assert.Throws<ArgumentException>(() => new MoeLayer(router, more)).Message);
    }

    internal static Router Router(string name, Device? device = null, Generator? generator = null)
    {
        var weights = new ParameterInit(device) { StandardDeviation = 1, Generator = generator };
        return name switch
        {
            "softmax" => new SoftmaxTopKRouter(8, 12, 2, init: weights),
            "softmax-plain" => new SoftmaxTopKRouter(8, 12, 3, init: weights) { NormalizeWeights = false },
            "switch" => new SwitchRouter(8, 12, init: weights),
            "noisy" => new NoisyTopKRouter(8, 12, 2, weights),
            "gshard" => new GShardRouter(8, 12, weights),
            "sigmoid" => new SigmoidTopKRouter(8, 12, 2, groups: new(4, 2), init: weights),
            "expert-choice" => new ExpertChoiceRouter(8, 12, 2, weights),
            "expert-threshold" => new ExpertThresholdRouter(8, 12, 2, weights),
            "hash" => new HashRouter(8, 12),
            "sinkhorn" => new SinkhornRouter(8, 12, 2, init: weights),
            "uniform" => new UniformRouter(8, 12, 2),
            _ => throw new ArgumentException(name),
        };
    }
}
