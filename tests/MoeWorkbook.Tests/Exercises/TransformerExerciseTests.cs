using TorchSharp;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>The expected answers agree with the library, which is written independently of them; the seed fixes the cases.</summary>
public sealed class TransformerExerciseTests
{
    [Fact]
    public void A_causal_mask_is_the_one_of_a_forward_pass() => AssertRight(MoeWorkbook.Exercises.CausalMask.Check(mask =>
    {
        using var context = new ForwardContext();
        using var hidden = context.CausalMask(mask.Queries, mask.Keys, window: null, torch.CPU);
        return [.. Enumerable.Range(0, mask.Queries).Select(query => Enumerable.Range(0, mask.Keys)
            .Select(key => hidden is null || !hidden[query, key].item<bool>()).ToArray())];
    }, seed: 1));

    [Fact]
    public void A_norm_is_RmsNorm() => AssertRight(MoeWorkbook.Exercises.RmsNorm.Check(norm =>
    {
        using var hidden = torch.tensor(norm.Hidden);
        using var normalized = RmsNorm.Normalize(hidden, norm.Epsilon);
        return [.. normalized.data<double>().Zip(norm.Gain, (x, gain) => x * gain)];
    }, seed: 2));

    [Fact]
    public void A_rotated_pair_keeps_its_length_and_turns_back()
    {
        (double A, double B) Turn((double A, double B, int Position, int Pair, int HeadSize) turn, int sign)
        {
            var turned =
                System.Numerics.Complex.FromPolarCoordinates(1, sign * turn.Position * new RotaryEmbedding(new(10000), turn.HeadSize).Frequencies[turn.Pair])
                * new System.Numerics.Complex(turn.A, turn.B);
            return (turned.Real, turned.Imaginary);
        }

        AssertRight(MoeWorkbook.Exercises.RotatePair.Check(turn => Turn(turn, 1), seed: 3));
        Assert.False(MoeWorkbook.Exercises.RotatePair.Check(turn => Turn(turn, -1), seed: 3).Correct);
    }

    [Fact]
    public void The_remainder_is_not_the_head_of_a_group()
    {
        AssertRight(MoeWorkbook.Exercises.KeyValueHead.Check(a => (int)((long)a.QueryHead * a.KeyValueHeads / a.Heads), seed: 4));
        Assert.False(MoeWorkbook.Exercises.KeyValueHead.Check(a => a.QueryHead % a.KeyValueHeads, seed: 4).Correct);
    }

    [Fact]
    public void The_bytes_of_a_cache_are_the_librarys() => AssertRight(MoeWorkbook.Exercises.CacheBytes.Check(c => c.Batch * KeyValueCacheSize.Bytes(
        ModelConfig.Dense((int)(c.KeyValueHeads * c.HeadSize), (int)c.Layers, (int)c.KeyValueHeads, (int)c.KeyValueHeads, 1,
            1), c.Context, (int)c.BytesPerNumber), seed: 5));

    [Fact]
    public void The_operations_of_a_block_are_the_librarys() => AssertRight(MoeWorkbook.Exercises.BlockFlops.Check(b =>
    {
        var config =
            ModelConfig.Dense((int)b.Hidden, 1, 1, 1, (int)b.IntermediateSize, 1) with { Attention = new((int)b.Heads, (int)b.KeyValueHeads, (int)b.HeadSize) };
        var active = ParameterCount.Of(config).ActiveByComponent;
        return (2 * active[ModelComponent.Attention], ForwardFlops.PerToken(config, (int)b.Context).Attention, 2 * active[ModelComponent.DenseFeedForward]);
    }, seed: 6));

    private static void AssertRight(CheckResult result) => Assert.True(result.Correct, result.Message);
}
