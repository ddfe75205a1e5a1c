using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>DeepSeekMoE (Dai et al. 2024): fine-grained experts beside shared ones; without experts, DeepSeek LLM.</summary>
internal static class DeepSeek
{
    public static ModelFamily Family { get; } = new("deepseek", Read, "DeepseekForCausalLM")
    {
        Write = Write,
        Tensors = new((".mlp.shared_expert.", ".mlp.shared_experts.")),
    };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", false);
        var config = DecoderKeys.Read(keys, AttentionKeys.Read(keys, bias, bias, grouped: false), denseSize: keys.Size("intermediate_size"));
        keys.Ignore("moe_intermediate_size", "n_shared_experts", "num_experts_per_tok", "first_k_dense_replace", "moe_layer_freq", "topk_group");
        if (!keys.Has("n_routed_experts")) return config;
        keys.Choice("scoring_func", "softmax", "softmax");
        if (keys.Count("n_group", 1) > 1) throw keys.Error("n_group", "is above 1; a deepseek model has no groups of experts");
        var moe = DeepSeekKeys.Experts(keys, sharedExperts: 0);
        // Its own code leaves the weight of a single expert as it is.
        moe = moe with { NormalizeWeights = keys.Flag("norm_topk_prob", false) && moe.ExpertsPerToken > 1 };
        return config.WithExperts(moe, DeepSeekKeys.DenseFirst(keys, absent: 0));
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        json["attention_bias"] = config.Attention.OutputBias;
        DeepSeekKeys.WriteScalingType(json);
        if (!config.IsMixtureOfExperts) return;
        DeepSeekKeys.WriteExperts(json, config);
        json["scoring_func"] = "softmax";
    }
}
