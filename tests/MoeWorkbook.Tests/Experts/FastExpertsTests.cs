using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class FastExpertsTests
{
    [Fact]
    public void Few_tokens_an_expert_go_to_the_kernel_and_many_to_libtorch()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = FusedExpertsTests.Experts(4, 16, 24, ScalarType.Float32);
        foreach (var (tokens, chosen) in new[] { (1, typeof(FusedExperts)), (8, typeof(FusedExperts)), (200, typeof(SortedExperts)) })
        {
            var (hidden, routing) = FusedExpertsTests.Routed(tokens, 4, 16, ScalarType.Float32);
            Assert.IsType(chosen, new FastExperts().Choose(hidden, routing, experts));
            Assert.InRange(FusedExpertsTests.Difference(new FastExperts().Run(hidden, routing, experts), new LoopExperts().Run(hidden, routing, experts)), 0, 1e-5);
        }

        // Sixteen tokens, but all for the same two experts.
        var (few, collapsed) = FusedExpertsTests.Routed(16, 4, 16, ScalarType.Float32);
        collapsed = collapsed with { Experts = arange(32, ScalarType.Int64).remainder(2) };
        Assert.IsType<SortedExperts>(new FastExperts().Choose(few, collapsed, experts));
    }

    [Fact]
    public void A_gradient_other_kinds_and_other_types_go_to_libtorch()
    {
        using var scope = NewDisposeScope();
        using var experts = FusedExpertsTests.Experts(4, 16, 24, ScalarType.Float32);
        var (hidden, routing) = FusedExpertsTests.Routed(2, 4, 16, ScalarType.Float32);
        var runner = new FastExperts();
        Assert.IsType<SortedExperts>(runner.Choose(hidden, routing, experts));
        runner.Run(hidden, routing, experts).sum().backward();
        Assert.True(experts.Down.grad!.abs().sum().item<float>() > 0);
        using var _ = no_grad();
        Assert.IsType<FusedExperts>(runner.Choose(hidden, routing, experts));
        using var gelu = new ExpertWeights(4, 16, 24, FeedForwardKind.GeGlu);
        Assert.IsType<SortedExperts>(runner.Choose(hidden, routing, gelu));
        using var wide = FusedExpertsTests.Experts(4, 16, 24, ScalarType.Float64);
        Assert.IsType<SortedExperts>(runner.Choose(hidden.@double(), routing, wide));
    }
}
