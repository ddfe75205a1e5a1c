using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The keys of experts: how many, how large, and how many for a token.</summary>
internal static class ExpertKeys
{
    /// <summary>The keys of the number of experts: one is the older name of the other, in some families the one and in others the other.</summary>
    public static readonly string[] Counts = ["num_experts", "num_local_experts"];

    /// <summary>The experts.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="sizeKey">The key of an expert's intermediate size.</param>
    /// <param name="countKeys">The keys of their number; null for <see cref="Counts"/>.</param>
    /// <param name="topKeys">The keys of the number for a token; null for <c>num_experts_per_tok</c>.</param>
    public static MoeConfig Read(ConfigKeys keys, string sizeKey, string[]? countKeys = null, string[]? topKeys = null)
    {
        countKeys ??= Counts;
        topKeys ??= ["num_experts_per_tok"];
        int count = keys.Size(countKeys), top = keys.Size(topKeys);
        if (top > count)
        {
            throw keys.Error(topKeys.First(keys.Has),
                $"is {top}, more than the {count} experts of \"{keys.Name(countKeys.First(keys.Has))}\"; it must be from 1 to {count}");
        }

        return new(count, top, keys.Size(sizeKey)) { AuxiliaryLossWeight = keys.OptionalNumber("router_aux_loss_coef") };
    }

    /// <summary>Adds the keys.</summary>
    /// <returns>The experts, which must be there.</returns>
    public static MoeConfig Write(JsonObject json, ModelConfig config, string countKey)
    {
        var moe = config.Moe ?? throw new NotSupportedException($"A {config.ModelType} model has experts; this one has none.");
        json[countKey] = moe.ExpertCount;
        json["num_experts_per_tok"] = moe.ExpertsPerToken;
        if (moe.AuxiliaryLossWeight is { } weight) json["router_aux_loss_coef"] = weight;
        return moe;
    }

    /// <summary>The model with experts in some layers, or in all where <paramref name="isMoe"/> is null.</summary>
    public static ModelConfig WithExperts(this ModelConfig config, MoeConfig moe, Func<int, bool>? isMoe = null)
    {
        bool[] layers = [.. Enumerable.Range(0, config.LayerCount).Select(isMoe ?? (_ => true))];
        return config with { MoeLayers = layers, Moe = layers.Contains(true) ? moe : null };
    }
}
