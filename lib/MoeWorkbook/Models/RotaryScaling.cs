namespace MoeWorkbook;

/// <summary>A stretching of rotary frequencies beyond the context of pre-training, as in a Hugging Face <c>rope_scaling</c>.</summary>
/// <param name="Kind">The published name: <c>linear</c>, <c>dynamic</c>, <c>yarn</c>, <c>llama3</c>, <c>longrope</c>.</param>
/// <param name="Factor">By how much the context grows.</param>
public sealed record RotaryScaling(string Kind, double Factor)
{
    /// <summary>The context length of pre-training, which <c>yarn</c> and <c>llama3</c> need; null where it is not known.</summary>
    public int? OriginalMaxPositions { get; init; }

    /// <summary>YaRN's β_fast: dimensions that turn more often than this over the original context keep their frequency (Peng et al. 2023).</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN's β_slow: dimensions that turn less often than this are interpolated fully.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>Whether YaRN's bounds are rounded to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>The factor on cosine and sine; null for YaRN's own 0.1·ln(factor) + 1.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>DeepSeek's <c>mscale</c>; null where absent.</summary>
    public double? MScale { get; init; }

    /// <summary>DeepSeek's <c>mscale_all_dim</c>, which also scales the attention logits; null where absent.</summary>
    public double? MScaleAllDimensions { get; init; }

    /// <summary>Llama 3's <c>low_freq_factor</c>.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3's <c>high_freq_factor</c>.</summary>
    public double HighFrequencyFactor { get; init; } = 4;
}
