using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>Qwen1.5-MoE and Qwen2-MoE (Qwen Team 2024): small experts and a shared one behind a gate.</summary>
internal static class Qwen2Moe
{
    public static ModelFamily Family { get; } = new("qwen2_moe", Read, "Qwen2MoeForCausalLM") { Write = Write, Tensors = new() };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var moe = ExpertKeys.Read(keys, "moe_intermediate_size") with
        {
            NormalizeWeights = keys.Flag("norm_topk_prob", false),
            SharedIntermediateSize = keys.Size("shared_expert_intermediate_size"),
            SharedExpertGate = true,
        };
        var attention = AttentionKeys.Read(keys, keys.Flag("qkv_bias", true), outputBias: false);
        return DecoderKeys.Read(keys, attention).WithExperts(moe, QwenKeys.SparseStep(keys))
            .WithWindows(keys, (layer, bound) => layer % 2 == 0 && layer < bound);
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = QwenKeys.WriteExperts(json, config);
        json["shared_expert_intermediate_size"] = moe.SharedIntermediateSize;
        json["qkv_bias"] = config.Attention.QueryKeyValueBias;
        QwenKeys.WriteWindows(json, config);
    }
}
