using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>DeepSeek-V3 (DeepSeek-AI 2024): latent attention, sigmoid scores, groups of experts, balancing without a loss.</summary>
internal static class DeepSeekV3
{
    public static ModelFamily Family { get; } = new("deepseek_v3", Read, "DeepseekV3ForCausalLM")
    {
        Write = Write,
        Tensors = new((".mlp.shared_expert.", ".mlp.shared_experts.")),
    };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", false);
        var latent = new LatentAttentionConfig(
            keys.OptionalSize("q_lora_rank"), keys.Size("kv_lora_rank"),
            keys.Size("qk_nope_head_dim"), keys.Size("qk_rope_head_dim"), keys.Size("v_head_dim"));
        var heads = keys.Size("num_attention_heads");
        keys.Ignore("num_key_value_heads", "head_dim", "qk_head_dim"); // follow from the others, or mean nothing here
        var attention = new AttentionConfig(heads, heads, latent.QueryHeadSize) { QueryKeyValueBias = bias, OutputBias = bias };
        var config = DecoderKeys.Read(keys, attention) with { LatentAttention = latent };
        config = config with
        {
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Latent, config.LayerCount)],
            Rotary = config.Rotary! with { Interleaved = keys.Flag("rope_interleave", true) },
        };
        var method = keys.Choice("topk_method", "noaux_tc", "noaux_tc", "greedy");
        var moe = DeepSeekKeys.GroupedExperts(keys, groups: 8, groupsPerToken: 4, scale: 2.5) with
        {
            SelectionBias = method == "noaux_tc",
            Router = keys.Choice("scoring_func", "sigmoid", "sigmoid", "softmax") == "softmax" ? RouterKind.SoftmaxTopK : RouterKind.SigmoidTopK,
        };
        if (method == "greedy" && moe.GroupsPerToken < moe.GroupCount)
            throw keys.Error("topk_method", "is \"greedy\", which knows no groups; \"topk_group\" must equal \"n_group\"");
        return config.WithExperts(moe, DeepSeekKeys.DenseFirst(keys, absent: 3));
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = DeepSeekKeys.WriteExperts(json, config);
        DeepSeekKeys.WriteScalingType(json);
        json["routed_scaling_factor"] = moe.RoutedScalingFactor;
        json["scoring_func"] = moe.Router == RouterKind.SoftmaxTopK ? "softmax" : "sigmoid";
        json["topk_method"] = moe.SelectionBias ? "noaux_tc" : "greedy";
        json["ep_size"] = 1;
        json["num_nextn_predict_layers"] = 0;
        json["attention_bias"] = config.Attention.OutputBias;
        if (config.Rotary is { Interleaved: false }) json["rope_interleave"] = false;
        if (config.LatentAttention is not { } latent) return;
        json["q_lora_rank"] = latent.QueryRank;
        json["kv_lora_rank"] = latent.KeyValueRank;
        json["qk_nope_head_dim"] = latent.NopeHeadSize;
        json["qk_rope_head_dim"] = latent.RotaryHeadSize;
        json["v_head_dim"] = latent.ValueHeadSize;
    }
}
