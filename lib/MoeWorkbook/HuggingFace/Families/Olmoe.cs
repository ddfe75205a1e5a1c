using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>OLMoE (Muennighoff et al. 2024): small experts in every layer, a norm over all heads' queries and keys together.</summary>
internal static class Olmoe
{
    public static ModelFamily Family { get; } = new("olmoe", Read, "OlmoeForCausalLM") { Write = Write, Tensors = new() };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", false);
        var attention = AttentionKeys.Read(keys, bias, bias, grouped: false) with
        {
            QueryKeyNorm = QueryKeyNorm.FullWidth,
            Clip = keys.OptionalNumber("clip_qkv"),
        };
        keys.Ignore("use_qk_norm");
        var moe = ExpertKeys.Read(keys, "intermediate_size") with { NormalizeWeights = keys.Flag("norm_topk_prob", false) };
        return DecoderKeys.Read(keys, attention, denseSize: 0, epsilon: 1e-5).WithExperts(moe);
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = ExpertKeys.Write(json, config, "num_experts");
        json["intermediate_size"] = moe.IntermediateSize;
        json["norm_topk_prob"] = moe.NormalizeWeights;
        json["attention_bias"] = config.Attention.OutputBias;
        json["clip_qkv"] = config.Attention.Clip;
        json["output_router_logits"] = false;
    }
}
