namespace MoeWorkbook;

/// <summary>Rotary position embeddings (Su et al. 2021).</summary>
/// <param name="Base">The base θ of the geometric series of frequencies θ^(−2i/d).</param>
public sealed record RotaryConfig(double Base)
{
    /// <summary>The share of each head that is rotated, from its start; 1 rotates the whole head.</summary>
    public double Fraction { get; init; } = 1;

    /// <summary>Whether a pair is two neighbouring elements (DeepSeek-V3); otherwise it is element i and element i + d/2.</summary>
    public bool Interleaved { get; init; }

    /// <summary>How the frequencies are stretched for longer contexts; null for none.</summary>
    public RotaryScaling? Scaling { get; init; }
}
