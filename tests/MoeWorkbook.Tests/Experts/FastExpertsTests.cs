using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class FastExpertsTests
{
    [Fact]
    public void Tokens_an_expert_and_the_processor_decide_about_the_kernel()
    {
        const long mixtral = 4096 * 14336;
        var (avx2, avx512) = (new Instructions(256, ByteProduct.Avx2), new Instructions(512, ByteProduct.Avx2));
        var best = avx512 with { BFloat16Products = true };
        foreach (var instructions in new[] { Instructions.Portable, avx2, avx512, best })
        {
            var fast = instructions.BFloat16Products;
            Assert.Equal(KernelKind.Rows, KernelChoice.For(instructions, WeightType.Float32, 1, mixtral));
            Assert.Equal(KernelKind.Panels, KernelChoice.For(instructions, WeightType.Float32, 64, mixtral));
            Assert.Equal(KernelKind.Rows, KernelChoice.For(instructions, WeightType.Int4, 16, mixtral));
            Assert.Equal(fast ? KernelKind.Libtorch : KernelKind.Panels, KernelChoice.For(instructions, WeightType.BFloat16, 64, mixtral));
            Assert.Equal(fast ? KernelKind.Libtorch : KernelKind.Rows, KernelChoice.For(instructions, WeightType.Int8, 64, mixtral));
            Assert.Equal(KernelKind.Panels, KernelChoice.For(instructions, WeightType.BFloat16, 64, 64 * 64));
            Assert.Equal(fast, KernelChoice.Sorts(instructions, 16, mixtral));
            Assert.False(KernelChoice.Sorts(instructions, 8, mixtral));
            Assert.False(KernelChoice.Sorts(instructions, 64, mixtral));
        }

        Assert.Equal(KernelKind.Panels, KernelChoice.For(avx2, WeightType.Float32, 8, mixtral));
        Assert.Equal(KernelKind.Rows, KernelChoice.For(best, WeightType.Float32, 8, mixtral));
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
