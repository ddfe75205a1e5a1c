namespace MoeWorkbook;

/// <summary>Grok-1 (xAI 2024): four norms a layer, GELU experts, tied embeddings; only counted.</summary>
internal static class Grok1
{
    public static ModelFamily Family { get; } = new("grok-1", Read, "Grok1ForCausalLM", "Grok1ModelForCausalLM");

    private static ModelConfig Read(ConfigKeys keys)
    {
        keys.Ignore("attn_output_multiplier", "embedding_multiplier_scale", "output_multiplier_scale", "max_attn_value");
        var moe = ExpertKeys.Read(keys, "intermediate_size");
        var config = DecoderKeys.Read(keys, AttentionKeys.Read(keys, grouped: false), denseSize: 0, epsilon: 1e-5, tied: true).WithExperts(moe);
        return config with { Norm = config.Norm with { PerLayer = 4 }, FeedForward = FeedForwardKind.GeGluTanh };
    }
}
