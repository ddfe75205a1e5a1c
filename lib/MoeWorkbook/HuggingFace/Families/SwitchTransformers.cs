namespace MoeWorkbook;

/// <summary>Switch Transformers (Fedus et al. 2021): T5's encoder and decoder with one expert a token; only counted.</summary>
internal static class SwitchTransformers
{
    public static ModelFamily Family { get; } = new("switch_transformers", Read, "SwitchTransformersForConditionalGeneration");

    private static ModelConfig Read(ConfigKeys keys)
    {
        int layers = DecoderKeys.Layers(keys, "num_layers"), decoderLayers = DecoderKeys.OptionalLayers(keys, "num_decoder_layers") ?? layers;
        var heads = keys.Size("num_heads");
        keys.Ignore("relative_attention_max_distance", "expert_capacity", "router_type", "router_ignore_padding_tokens", "batch_prioritized_routing",
            "scalable_attention", "is_encoder_decoder", "dense_act_fn", "add_router_probs");
        if (keys.Count("num_selected_experts", 1) > 1) throw keys.Error("num_selected_experts", "is above 1; a switch layer has one expert for each token");
        bool[] encoder = Sparse(keys, "encoder", layers), decoder = Sparse(keys, "decoder", decoderLayers);
        var projection = keys.Text("feed_forward_proj") ?? keys.Text("dense_act_fn") ?? "relu";
        var gated = keys.Flag("is_gated_act", false) || projection.StartsWith("gated-", StringComparison.Ordinal);
        var sparse = encoder.Contains(true) || decoder.Contains(true);
        return new ModelConfig
        {
            ModelType = "switch_transformers",
            HiddenSize = keys.Size("d_model"),
            VocabularySize = keys.Size("vocab_size"),
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, decoderLayers)],
            MoeLayers = decoder,
            Attention = new(heads, heads, keys.Size("d_kv")),
            Norm = new(NormKind.Rms, keys.PositiveNumber("layer_norm_epsilon", 1e-6)),
            FeedForward = gated ? FeedForwardKind.GeGluTanh
                : projection.Contains("gelu", StringComparison.Ordinal) ? FeedForwardKind.Gelu : FeedForwardKind.Relu,
            IntermediateSize = keys.Size("d_ff"),
            Moe = !sparse ? null : new(keys.Size("num_experts"), 1, keys.Size("d_ff"))
            {
                Router = RouterKind.Switch,
                RouterBias = keys.Flag("router_bias", false),
                AuxiliaryLossWeight = keys.OptionalNumber("router_aux_loss_coef"),
            },
            TiedEmbeddings = keys.Flag("tie_word_embeddings", true),
            Encoder = new(encoder, keys.OptionalSize("relative_attention_num_buckets") ?? 32),
        };
    }

    /// <summary>A stack's every n-th layer is sparse, counted from its second one; n comes from the number of sparse layers where that is given.</summary>
    private static bool[] Sparse(ConfigKeys keys, string stack, int count)
    {
        string sparseKey = $"num_sparse_{stack}_layers", stepKey = $"{stack}_sparse_step";
        var step = keys.Count(stepKey, 0);
        if (keys.Has(sparseKey))
        {
            var sparseLayers = keys.Count(sparseKey, 0);
            if (sparseLayers > count) throw keys.Error(sparseKey, $"is {sparseLayers}; the stack has only {count} layers");
            step = sparseLayers == 0 ? 0 : count / sparseLayers;
        }
        else if (!keys.Has(stepKey))
        {
            throw keys.Missing(sparseKey);
        }

        return [.. Enumerable.Range(0, count).Select(i => step == 1 || (step > 1 && i % step == 1))];
    }
}
