namespace MoeWorkbook;

/// <summary>The norms of a model.</summary>
/// <param name="Kind">Which norm.</param>
/// <param name="Epsilon">What is added to the mean square or variance.</param>
public sealed record NormConfig(NormKind Kind, double Epsilon)
{
    /// <summary>Whether a layer norm has a bias.</summary>
    public bool Bias { get; init; }

    /// <summary>Whether the stored weight is the difference from one (Qwen3-Next).</summary>
    public bool ZeroCentered { get; init; }

    /// <summary>Norms in a decoder layer: 2 before its blocks, or 4 before and after them (Grok-1).</summary>
    public int PerLayer { get; init; } = 2;
}
