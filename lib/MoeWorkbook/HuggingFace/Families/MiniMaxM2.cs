using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>MiniMax-M2, M2.5 and M2.7 (MiniMax 2025): Mixtral's experts, many and small, behind DeepSeek-V3's router without groups.</summary>
internal static class MiniMaxM2
{
    public static ModelFamily Family { get; } = new("minimax_m2", Read, "MiniMaxM2ForCausalLM")
    {
        Write = Write,
        Tensors = new((".mlp.gate.e_score_correction_bias", ".mlp.e_score_correction_bias"), (".mlp.", ".block_sparse_moe."))
        {
            Forms = [TensorNames.SplitExperts("w1", "w3", "w2"), TensorNames.Whole],
        },
    };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var attention = AttentionKeys.Read(keys, headSize: 128) with { QueryKeyNorm = QueryKeyNorm.FullWidth };
        if (!keys.Flag("use_qk_norm", true)) throw keys.Error("use_qk_norm", "is false; queries and keys of a minimax_m2 model are normed");
        keys.Choice("qk_norm_type", "per_layer", "per_layer");
        if (keys.Integers("attn_type_list")?.Any(type => type != 1) == true) throw keys.Error("attn_type_list", "must be 1, full attention, for every layer");
        keys.Choice("scoring_func", "sigmoid", "sigmoid");
        var moe = ExpertKeys.Read(keys, "intermediate_size") with
        {
            Router = RouterKind.SigmoidTopK,
            SelectionBias = keys.Flag("use_routing_bias", true),
            NormalizeWeights = true,
        };
        var rotated = keys.OptionalSize("rotary_dim", attention.HeadSize) ?? attention.HeadSize;
        return DecoderKeys.Read(keys, attention, denseSize: 0, theta: 5e6, rotaryFraction: rotated / (double)attention.HeadSize).WithExperts(moe);
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = ExpertKeys.Write(json, config, "num_local_experts");
        json["intermediate_size"] = moe.IntermediateSize;
        json["shared_intermediate_size"] = 0;
        json["scoring_func"] = "sigmoid";
        json["use_routing_bias"] = moe.SelectionBias;
        json["use_qk_norm"] = true;
        json["qk_norm_type"] = "per_layer";
        json["attn_type_list"] = new JsonArray([.. Enumerable.Repeat(1, config.LayerCount).Select(type => JsonValue.Create(type))]);
        if (config.Rotary is { } rotary) json["rotary_dim"] = (int)Math.Round(config.Attention.HeadSize * rotary.Fraction);
        json["use_mtp"] = false;
        json["num_mtp_modules"] = 0;
    }
}
