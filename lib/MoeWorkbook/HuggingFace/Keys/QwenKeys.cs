using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The keys that Qwen's families share.</summary>
internal static class QwenKeys
{
    /// <summary>Qwen3's attention: a norm of each query and key head.</summary>
    public static AttentionConfig Attention(ConfigKeys keys, int? headSize)
    {
        var bias = keys.Flag("attention_bias", false);
        keys.Ignore("use_qk_norm");
        return AttentionKeys.Read(keys, bias, bias, headSize) with { QueryKeyNorm = QueryKeyNorm.PerHead };
    }

    /// <summary>Which layers have experts: every n-th, but for those that are listed as dense.</summary>
    public static Func<int, bool> SparseStep(ConfigKeys keys)
    {
        var step = keys.OptionalSize("decoder_sparse_step") ?? 1;
        var dense = LayerKeys.Listed(keys, "mlp_only_layers", DecoderKeys.Layers(keys)) ?? [];
        return i => !dense.Contains(i) && (i + 1) % step == 0;
    }

    /// <summary>Adds the keys of the experts.</summary>
    public static MoeConfig WriteExperts(JsonObject json, ModelConfig config)
    {
        var moe = ExpertKeys.Write(json, config, "num_experts");
        json["moe_intermediate_size"] = moe.IntermediateSize;
        json["norm_topk_prob"] = moe.NormalizeWeights;
        json["decoder_sparse_step"] = 1;
        json["mlp_only_layers"] = new JsonArray([.. Enumerable.Range(0, config.LayerCount).Where(i => !config.MoeLayers[i]).Select(i => JsonValue.Create(i))]);
        json["output_router_logits"] = false;
        return moe;
    }

    /// <summary>The model with Qwen's windows, which are off unless <c>use_sliding_window</c> says so.</summary>
    /// <param name="config">The model.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="hasWindow">Whether a layer has one, by its number and <c>max_window_layers</c>, where the file does not list it.</param>
    public static ModelConfig WithWindows(this ModelConfig config, ConfigKeys keys, Func<int, int, bool> hasWindow)
    {
        var listed = LayerKeys.Types(keys, config.LayerCount);
        keys.Ignore("sliding_window", "max_window_layers");
        var window = keys.Flag("use_sliding_window", false) ? LayerKeys.Window(keys, absent: 4096) : null;
        if (window is null)
        {
            return listed?.Contains(AttentionKind.SlidingWindow) != true ? config
                : throw keys.Error("layer_types", "has an entry \"sliding_attention\", but \"use_sliding_window\" is not true or \"sliding_window\" is null");
        }

        var bound = keys.Count("max_window_layers", 28);
        return config with
        {
            Attention = config.Attention with { SlidingWindow = window },
            LayerAttention = listed
                ?? [.. Enumerable.Range(0, config.LayerCount).Select(i => hasWindow(i, bound) ? AttentionKind.SlidingWindow : AttentionKind.Full)],
        };
    }

    /// <summary>Adds the keys of the windows.</summary>
    public static void WriteWindows(JsonObject json, ModelConfig config)
    {
        var first = config.LayerAttention.ToList().IndexOf(AttentionKind.SlidingWindow);
        json["use_sliding_window"] = first >= 0;
        json["sliding_window"] = LayerKeys.Window(config);
        json["max_window_layers"] = first >= 0 ? first : config.LayerCount;
        if (first >= 0) json["layer_types"] = LayerKeys.Types(config);
    }
}
