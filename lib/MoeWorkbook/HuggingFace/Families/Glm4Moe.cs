using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>GLM-4.5 (GLM Team 2025): DeepSeek-V3's experts under grouped-query attention.</summary>
internal static class Glm4Moe
{
    public static ModelFamily Family { get; } = new("glm4_moe", Read, "Glm4MoeForCausalLM")
    {
        Write = Write,
        Tensors = new((".mlp.shared_expert.", ".mlp.shared_experts.")),
    };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var attention = AttentionKeys.Read(keys, keys.Flag("attention_bias", false), outputBias: false, headSize: 128) with
        {
            QueryKeyNorm = keys.Flag("use_qk_norm", false) ? QueryKeyNorm.PerHead : QueryKeyNorm.None,
        };
        var moe = DeepSeekKeys.GroupedExperts(keys, groups: 1, groupsPerToken: 1, scale: 1) with { Router = RouterKind.SigmoidTopK, SelectionBias = true };
        return DecoderKeys.Read(keys, attention, epsilon: 1e-5, rotaryFraction: 0.5).WithExperts(moe, DeepSeekKeys.DenseFirst(keys, absent: 1));
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = DeepSeekKeys.WriteExperts(json, config);
        if (json["moe_layer_freq"]!.GetValue<int>() == 1) json.Remove("moe_layer_freq"); // which GLM-4.5 does not have
        json["routed_scaling_factor"] = moe.RoutedScalingFactor;
        json["num_nextn_predict_layers"] = 0;
        json["attention_bias"] = config.Attention.QueryKeyValueBias;
        json["use_qk_norm"] = config.Attention.QueryKeyNorm == QueryKeyNorm.PerHead;
        json["partial_rotary_factor"] = config.Rotary?.Fraction;
    }
}
