namespace MoeWorkbook;

/// <summary>The encoder of an encoder-decoder model of the T5 family (Raffel et al. 2020; Switch Transformers, Fedus et al. 2021). The decoder is described by
/// the <see cref="ModelConfig"/> itself and adds cross-attention to each layer.</summary>
/// <param name="MoeLayers">For each encoder layer, whether its feed-forward block is a Mixture-of-Experts layer.</param>
/// <param name="RelativePositionBuckets">Buckets of the relative position bias that each stack has once, one value a head.</param>
public sealed record EncoderConfig(IReadOnlyList<bool> MoeLayers, int RelativePositionBuckets)
{
    /// <summary>Number of encoder layers.</summary>
    public int LayerCount => MoeLayers.Count;
}
