using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class ExpertRunnerTests
{
    public static TheoryData<string> Routers => ["softmax", "softmax-plain", "switch", "noisy", "gshard", "sigmoid", "expert-choice", "hash", "sinkhorn", "uniform"];

    [Theory]
    [MemberData(nameof(Routers))]
    public void Every_runner_gives_the_same_output_and_gradients(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(11);
        using var router = Router(name);
        router.train();
        // Few tokens for twelve experts, so that some experts have none.
        var kinds = new (FeedForwardKind, bool)[] { (FeedForwardKind.SwiGlu, false), (FeedForwardKind.ClampedSwiGlu, true), (FeedForwardKind.Relu, true) };
        foreach (var (kind, bias) in kinds)
        {
            using var experts = new ExpertWeights(12, 8, 6, kind, bias, new() { StandardDeviation = 0.5 });
            using (no_grad())
                if (bias) experts.GateUpBias!.normal_();
            var hidden = randn(1, 5, 8).requires_grad_();
            var ids = tensor(new long[] { 3, 1, 4, 1, 5 }, [1, 5]);
            var reference = Run(new LoopExperts());
            Assert.True(reference[0].abs().max().item<float>() > 0.01);
            foreach (var runner in new ExpertRunner[] { new SortedExperts(), new CapacityExperts() })
            {
                var result = Run(runner);
                for (var i = 0; i < result.Count; i++)
                    Assert.True(result[i].allclose(reference[i], rtol: 1e-5, atol: 1e-5), $"{runner} {kind}: part {i} differs");
            }

            List<Tensor> Run(ExpertRunner runner)
            {
                experts.zero_grad();
                router.zero_grad();
                hidden.grad?.zero_();
                using var generator = new Generator(5);
                var routing = router.forward(new(hidden, ids, generator));
                var output = runner.Run(hidden.view(5, 8), routing, experts);
                (output * arange(40, ScalarType.Float32).view(5, 8)).sum().backward();
                var parts = new List<Tensor> { output.detach(), hidden.grad!.clone() };
                parts.AddRange(experts.parameters().Select(parameter => parameter.grad!.clone()));
                parts.AddRange(router.parameters().Where(parameter => parameter.grad is not null).Select(parameter => parameter.grad!.clone()));
                return parts;
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
        using var router = new SoftmaxTopKRouter(8, 4, 2, weights: new() { StandardDeviation = 1 });
        using var experts = new ExpertWeights(4, 8, 6);
        var hidden = randn(2, 6, 8);
        using var generator = new Generator(1);
        var routing = new ExpertCapacity(0.25, policy).Apply(router.forward(new(hidden)), generator);
        Assert.True(routing.Load(keptOnly: true).max().item<long>() <= 2);
        var loop = new LoopExperts().Run(hidden.view(12, 8), routing, experts);
        Assert.True(new SortedExperts().Run(hidden.view(12, 8), routing, experts).allclose(loop, atol: 1e-6));
        Assert.True(new CapacityExperts().Run(hidden.view(12, 8), routing, experts).allclose(loop, atol: 1e-6));
        var keptPerToken = routing.Kept.view(12, 2).any(1);
        Assert.False(keptPerToken.all().item<bool>());
        Assert.Equal(0, loop[keptPerToken.logical_not()].abs().sum().item<float>());

        var none = routing with { Kept = zeros_like(routing.Kept) };
        foreach (var runner in new ExpertRunner[] { new LoopExperts(), new SortedExperts(), new CapacityExperts() })
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

    internal static Router Router(string name)
    {
        var weights = new WeightFactory { StandardDeviation = 1 };
        return name switch
        {
            "softmax" => new SoftmaxTopKRouter(8, 12, 2, weights: weights),
            "softmax-plain" => new SoftmaxTopKRouter(8, 12, 3, normalizeWeights: false, weights: weights),
            "switch" => new SwitchRouter(8, 12, weights: weights),
            "noisy" => new NoisyTopKRouter(8, 12, 2, weights),
            "gshard" => new GShardTopTwoRouter(8, 12, weights),
            "sigmoid" => new SigmoidTopKRouter(8, 12, 2, groupCount: 4, groupsPerToken: 2, weights: weights),
            "expert-choice" => new ExpertChoiceRouter(8, 12, 2, weights),
            "hash" => new HashRouter(8, 12),
            "sinkhorn" => new SinkhornRouter(8, 12, 2, weights: weights),
            "uniform" => new UniformRouter(8, 12, 2),
            _ => throw new ArgumentException(name),
        };
    }
}
