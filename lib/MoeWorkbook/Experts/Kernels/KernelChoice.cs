using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The kernels for one and the same result.</summary>
internal enum KernelKind
{
    /// <summary><see cref="FusedFeedForward{TKernel}"/>: rows of weights with rows of activations.</summary>
    Rows,

    /// <summary><see cref="PanelFeedForward{TFormat,TLanes,TVector}"/>: rows of weights with panels of tokens; for float32 and bfloat16.</summary>
    Panels,

    /// <summary><see cref="BFloat16FeedForward"/>: libtorch's bfloat16 product.</summary>
    Libtorch,
}

/// <summary>Which kernel is the fastest.</summary>
/// <remarks>
/// Measured at hidden 4096, ffn 14336, 8 experts, top-2, two cores with AVX-512, in milliseconds, rows : panels or libtorch (: sorted runner)
/// for so many tokens an expert. Float32: 160 : 201 for 4, 197 : 202 for 8, 295 : 221 for 16, 947 : 485 : 1320 for 64.
/// Bfloat16: 122 : 163 : 126 for 8, 230 : 224 : 162 for 16, 312 : 211 : 198 for 24, 746 : 300 : 362 for 64.
/// Int8: 71 : 113 for 16, 137 : 163 for 32, 269 : 267 for 64, 593 : 500 for 128. Int4: 84 : 135 for 16, 153 : 167 for 32, 308 : 274 for 64, 680 : 495 for 128.
/// </remarks>
internal static class KernelChoice
{
    /// <summary>So few tokens go to <see cref="KernelKind.Rows"/> whatever the rest.</summary>
    private const int AlwaysRows = (int)FloatingCrossover;

    private const double FloatingCrossover = 8, BlocksCrossover = 28, IntegerCrossover = 44;

    // hidden · ffn, below which starting libtorch's threads is what takes the time.
    private const long WorthLibtorch = 1 << 20;

    /// <summary>The fastest kernel.</summary>
    /// <param name="type">The type of the weights.</param>
    /// <param name="tokens">Tokens of a chosen expert, on average.</param>
    /// <param name="size">hidden · ffn.</param>
    public static KernelKind For(WeightType type, double tokens, long size)
    {
        var integer = type is WeightType.Int8 or WeightType.Int4;
        if (tokens <= (integer ? IntegerCrossover : FloatingCrossover)) return KernelKind.Rows;
        if (type != WeightType.Float32 && size >= WorthLibtorch && BFloat16FeedForward.IsFast) return KernelKind.Libtorch;
        return integer ? KernelKind.Rows : KernelKind.Panels;
    }

    /// <summary>Whether whole products of libtorch, as <see cref="SortedExperts"/> computes them, are faster than every kernel: in bfloat16, where there are too many tokens for rows and too few for blocks.</summary>
    /// <param name="tokens">Tokens of a chosen expert, on average.</param>
    /// <param name="size">hidden · ffn.</param>
    public static bool Sorts(double tokens, long size) =>
        tokens is > FloatingCrossover and < BlocksCrossover && For(WeightType.BFloat16, tokens, size) == KernelKind.Libtorch;

    /// <summary>Tokens of a chosen expert, on average.</summary>
    public static double TokensPerExpert(RoutingDecision routing, int expertCount)
    {
        // A token has an expert at most once, so this many are no expert's average: no need to count.
        if (routing.TokenCount <= AlwaysRows) return routing.TokenCount;
        using var scope = NewDisposeScope();
        var load = routing.Load(keptOnly: true).data<long>().ToArray();
        return load.Sum() / (double)Math.Max(1, load.Count(n => n > 0));
    }
}
