using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The keys that DeepSeek's families and their relatives share.</summary>
internal static class DeepSeekKeys
{
    /// <summary>The experts; <paramref name="sharedExperts"/> is how many are shared where the file does not say.</summary>
    public static MoeConfig Experts(ConfigKeys keys, int sharedExperts)
    {
        var moe = ExpertKeys.Read(keys, "moe_intermediate_size", ["n_routed_experts", .. ExpertKeys.Counts]);
        var shared = keys.Count("n_shared_experts", keys.States("n_shared_experts") ? 0 : sharedExperts);
        return moe with
        {
            SharedIntermediateSize = checked(shared * moe.IntermediateSize),
            AuxiliaryLossWeight = keys.OptionalNumber("aux_loss_alpha"),
        };
    }

    /// <summary>The experts of DeepSeek-V3 and its relatives, with what their code takes where the file does not say.</summary>
    public static MoeConfig GroupedExperts(ConfigKeys keys, int groups, int groupsPerToken, double scale)
    {
        var moe = Experts(keys, sharedExperts: 1) with
        {
            NormalizeWeights = keys.Flag("norm_topk_prob", true),
            RoutedScalingFactor = keys.Number("routed_scaling_factor", scale),
            GroupCount = keys.OptionalSize("n_group") ?? groups,
            GroupsPerToken = keys.OptionalSize("topk_group") ?? groupsPerToken,
        };
        if (moe.ExpertCount % moe.GroupCount != 0)
            throw keys.Error("n_group", $"is {moe.GroupCount}; it must divide \"n_routed_experts\" ({moe.ExpertCount})");
        if (moe.GroupsPerToken > moe.GroupCount)
            throw keys.Error("topk_group", $"is {moe.GroupsPerToken}; it must not exceed \"n_group\" ({moe.GroupCount})");
        return moe;
    }

    /// <summary>Which layers have experts: every n-th from the <paramref name="absent"/>-th on, or from where the file says.</summary>
    public static Func<int, bool> DenseFirst(ConfigKeys keys, int absent)
    {
        int first = keys.Count("first_k_dense_replace", absent), every = keys.OptionalSize("moe_layer_freq") ?? 1;
        var layers = DecoderKeys.Layers(keys);
        if (first > layers) throw keys.Error("first_k_dense_replace", $"is {first}; it must not exceed \"num_hidden_layers\" ({layers})");
        return i => i >= first && i % every == 0;
    }

    /// <summary>Adds the keys of the experts.</summary>
    public static MoeConfig WriteExperts(JsonObject json, ModelConfig config)
    {
        var moe = ExpertKeys.Write(json, config, "n_routed_experts");
        json.Remove("router_aux_loss_coef");
        if (moe.AuxiliaryLossWeight is { } weight) json["aux_loss_alpha"] = weight;
        json["moe_intermediate_size"] = moe.IntermediateSize;
        json["n_shared_experts"] = moe.SharedIntermediateSize == 0 ? null : moe.SharedIntermediateSize / moe.IntermediateSize;
        json["n_group"] = moe.GroupCount;
        json["topk_group"] = moe.GroupsPerToken;
        json["norm_topk_prob"] = moe.NormalizeWeights;
        var first = config.MoeLayers.ToList().IndexOf(true);
        json["first_k_dense_replace"] = first;
        json["moe_layer_freq"] = Enumerable.Range(1, config.LayerCount)
            .FirstOrDefault(step => Enumerable.Range(0, config.LayerCount).All(i => config.MoeLayers[i] == (i >= first && i % step == 0)), 1);
        return moe;
    }

    /// <summary>Adds the older name of a rotary scaling's kind, which DeepSeek's own code reads.</summary>
    public static void WriteScalingType(JsonObject json)
    {
        if (json["rope_scaling"] is JsonObject scaling) scaling["type"] = scaling["rope_type"]!.DeepClone();
    }
}
