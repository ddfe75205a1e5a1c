namespace MoeWorkbook;

/// <summary>The kernels for one and the same result.</summary>
internal enum KernelKind
{
    /// <summary><see cref="FusedFeedForward{TKernel}"/>: rows of weights with rows of activations.</summary>
    Rows,

    /// <summary><see cref="PanelFeedForward{TFormat,TLanes,TVector}"/>: rows of weights with panels of tokens.</summary>
    Panels,

    /// <summary><see cref="BFloat16FeedForward"/>: libtorch's bfloat16 product.</summary>
    Libtorch,
}

/// <summary>Which kernel is the fastest.</summary>
internal static class KernelChoice
{
    /// <summary>So few tokens go to <see cref="KernelKind.Rows"/> whatever the rest.</summary>
    public const int AlwaysRows = 4;

    private const long WorthLibtorch = 1 << 20;

    /// <summary>The fastest kernel.</summary>
    /// <param name="type">The type of the weights.</param>
    /// <param name="tokens">Tokens of a chosen expert, on average.</param>
    /// <param name="size">hidden · ffn.</param>
    public static KernelKind For(WeightType type, double tokens, long size)
    {
        if (type != WeightType.Float32 && tokens > 12 && size >= WorthLibtorch && BFloat16FeedForward.IsFast) return KernelKind.Libtorch;
        return tokens > 12 ? KernelKind.Panels : KernelKind.Rows;
    }
}
