using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class FastExpertsTests
{
    [Fact]
    public void Tokens_an_expert_decide_about_the_kernel()
    {
        const long mixtral = 4096 * 14336;
        Assert.Equal(KernelKind.Rows, KernelChoice.For(WeightType.Float32, 1, mixtral));
        Assert.Equal(KernelKind.Panels, KernelChoice.For(WeightType.Float32, 64, mixtral));
        Assert.Equal(KernelKind.Rows, KernelChoice.For(WeightType.Int4, 16, mixtral));
        var inBFloat16 = BFloat16FeedForward.IsFast;
        Assert.Equal(inBFloat16 ? KernelKind.Libtorch : KernelKind.Panels, KernelChoice.For(WeightType.BFloat16, 64, mixtral));
        Assert.Equal(inBFloat16 ? KernelKind.Libtorch : KernelKind.Rows, KernelChoice.For(WeightType.Int8, 64, mixtral));
        Assert.Equal(KernelKind.Panels, KernelChoice.For(WeightType.BFloat16, 64, 64 * 64));
        Assert.Equal(inBFloat16, KernelChoice.Sorts(16, mixtral));
        Assert.False(KernelChoice.Sorts(8, mixtral));
        Assert.False(KernelChoice.Sorts(64, mixtral));
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
