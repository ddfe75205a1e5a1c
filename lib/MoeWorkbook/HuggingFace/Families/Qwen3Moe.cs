using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The Mixture-of-Experts models of Qwen3 (Qwen Team 2025): many small experts, none shared.</summary>
internal static class Qwen3Moe
{
    public static ModelFamily Family { get; } = new("qwen3_moe", Read, "Qwen3MoeForCausalLM") { Write = Write, Tensors = new() };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var moe = ExpertKeys.Read(keys, "moe_intermediate_size") with { NormalizeWeights = keys.Flag("norm_topk_prob", false) };
        var config = DecoderKeys.Read(keys, QwenKeys.Attention(keys, headSize: null)).WithExperts(moe, QwenKeys.SparseStep(keys))
            .WithWindows(keys, (_, _) => true);
        if (config.Attention.SlidingWindow is not null && config.LayerAttention.Contains(AttentionKind.Full))
            throw keys.Error("layer_types", "has an entry \"full_attention\"; with \"use_sliding_window\" all layers of a qwen3_moe model have the window");
        return config;
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        QwenKeys.WriteExperts(json, config);
        json["attention_bias"] = config.Attention.OutputBias;
        QwenKeys.WriteWindows(json, config);
    }
}
