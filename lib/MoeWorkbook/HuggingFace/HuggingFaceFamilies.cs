namespace MoeWorkbook;

/// <summary>What each family's <c>config.json</c> means, one function a family; the shared parts follow below.</summary>
internal static class HuggingFaceFamilies
{
    private const int MostLayers = 65_536;

    /// <summary>The number of experts: one key is the older name of the other, in some families the one and in others the other.</summary>
    private static readonly string[] Experts = ["num_experts", "num_local_experts"];

    public static ModelConfig Llama(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", false);
        return Decoder(keys, Attention(keys, bias, bias, keyValueHeads: null)) with
        {
            FeedForwardBias = keys.Flag("mlp_bias", false),
        };
    }

    public static ModelConfig Mistral(ConfigKeys keys) => Windowed(keys, Decoder(keys, Attention(keys)), absent: 4096);

    public static ModelConfig Mixtral(ConfigKeys keys)
    {
        var moe = Moe(keys, Experts, "intermediate_size") with { NormalizeWeights = true };
        return Windowed(keys, Mixture(Decoder(keys, Attention(keys), denseSize: 0, epsilon: 1e-5, theta: 1e6), moe, _ => true));
    }

    public static ModelConfig Qwen2Moe(ConfigKeys keys)
    {
        var moe = Moe(keys, Experts, "moe_intermediate_size") with
        {
            NormalizeWeights = keys.Flag("norm_topk_prob", false),
            SharedIntermediateSize = keys.Size("shared_expert_intermediate_size"),
            SharedExpertGate = true,
        };
        var attention = Attention(keys, keys.Flag("qkv_bias", true), outputBias: false);
        return QwenWindows(keys, Mixture(Decoder(keys, attention), moe, SparseStep(keys)), (layer, bound) => layer % 2 == 0 && layer < bound);
    }

    public static ModelConfig Qwen3(ConfigKeys keys) =>
        QwenWindows(keys, Decoder(keys, Qwen3Attention(keys, headSize: 128)), (layer, bound) => layer >= bound);

    public static ModelConfig Qwen3Moe(ConfigKeys keys)
    {
        var moe = Moe(keys, Experts, "moe_intermediate_size") with { NormalizeWeights = keys.Flag("norm_topk_prob", false) };
        var config = Mixture(Decoder(keys, Qwen3Attention(keys, headSize: null)), moe, SparseStep(keys));
        config = QwenWindows(keys, config, (_, _) => true);
        if (config.Attention.SlidingWindow is not null && config.LayerAttention.Contains(AttentionKind.Full))
            throw keys.Error("layer_types", "has an entry \"full_attention\"; with \"use_sliding_window\" all layers of a qwen3_moe model have the window");
        return config;
    }

    public static ModelConfig Qwen3Next(ConfigKeys keys) =>
        HybridQwen(keys, normalizeWeights: keys.Flag("norm_topk_prob", true));

    public static ModelConfig Qwen35Moe(ConfigKeys keys) => HybridQwen(keys, normalizeWeights: true);

    public static ModelConfig DeepSeek(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", false);
        var config = Decoder(keys, Attention(keys, bias, bias, keyValueHeads: null), denseSize: keys.Size("intermediate_size"));
        keys.Ignore("moe_intermediate_size", "n_shared_experts", "num_experts_per_tok", "first_k_dense_replace", "moe_layer_freq", "topk_group");
        if (!keys.Has("n_routed_experts")) return config;
        keys.Choice("scoring_func", "softmax", "softmax");
        if (keys.Count("n_group", 1) > 1) throw keys.Error("n_group", "is above 1; a deepseek model has no groups of experts");
        var moe = DeepSeekMoe(keys, sharedExperts: 0);
        // Its own code leaves the weight of a single expert as it is.
        moe = moe with { NormalizeWeights = keys.Flag("norm_topk_prob", false) && moe.ExpertsPerToken > 1 };
        return Mixture(config, moe, DenseFirst(keys, absent: 0));
    }

    public static ModelConfig DeepSeekV3(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", false);
        var latent = new LatentAttentionConfig(
            keys.OptionalSize("q_lora_rank"), keys.Size("kv_lora_rank"),
            keys.Size("qk_nope_head_dim"), keys.Size("qk_rope_head_dim"), keys.Size("v_head_dim"));
        int heads = keys.Size("num_attention_heads");
        keys.Ignore("num_key_value_heads", "head_dim", "qk_head_dim"); // follow from the others, or mean nothing here
        var attention = new AttentionConfig(heads, heads, latent.QueryHeadSize) { QueryKeyValueBias = bias, OutputBias = bias };
        var config = Decoder(keys, attention) with { LatentAttention = latent };
        config = config with
        {
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Latent, config.LayerCount)],
            Rotary = config.Rotary! with { Interleaved = keys.Flag("rope_interleave", true) },
        };
        string method = keys.Choice("topk_method", "noaux_tc", "noaux_tc", "greedy");
        var moe = GroupedMoe(keys, groups: 8, groupsPerToken: 4, scale: 2.5) with
        {
            SelectionBias = method == "noaux_tc",
            Router = keys.Choice("scoring_func", "sigmoid", "sigmoid", "softmax") == "softmax" ? RouterKind.SoftmaxTopK : RouterKind.SigmoidTopK,
        };
        if (method == "greedy" && moe.GroupsPerToken < moe.GroupCount)
            throw keys.Error("topk_method", "is \"greedy\", which knows no groups; \"topk_group\" must equal \"n_group\"");
        return Mixture(config, moe, DenseFirst(keys, absent: 3));
    }

    public static ModelConfig Olmoe(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", false);
        var attention = Attention(keys, bias, bias, keyValueHeads: null) with
        {
            QueryKeyNorm = QueryKeyNorm.FullWidth,
            Clip = keys.OptionalNumber("clip_qkv"),
        };
        keys.Ignore("use_qk_norm");
        var moe = Moe(keys, Experts, "intermediate_size") with { NormalizeWeights = keys.Flag("norm_topk_prob", false) };
        return Mixture(Decoder(keys, attention, denseSize: 0, epsilon: 1e-5), moe, _ => true);
    }

    public static ModelConfig GptOss(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", true);
        var attention = Attention(keys, bias, bias, headSize: 64) with { Sinks = true, SlidingWindow = Window(keys, absent: 128) };
        var moe = Moe(keys, Experts, "intermediate_size", "num_experts_per_tok", "experts_per_token") with
        {
            NormalizeWeights = true,
            RouterBias = true,
            ExpertBias = true,
        };
        var config = Mixture(Decoder(keys, attention, denseSize: 0, epsilon: 1e-5, theta: 150000), moe, _ => true);
        return config with
        {
            FeedForward = FeedForwardKind.ClampedSwiGlu,
            SwiGluClamp = new(keys.PositiveNumber("swiglu_limit", 7), keys.Number("swiglu_alpha", 1.702)),
            // A file that says nothing about positions means the published model's; null means no scaling.
            Rotary = keys.States("rope_scaling") || keys.States("rope_parameters") ? config.Rotary
                : config.Rotary! with { Scaling = new("yarn", 32) { OriginalMaxPositions = 4096, Truncate = false } },
            LayerAttention = LayerTypes(keys, config.LayerCount)
                ?? [.. Enumerable.Range(0, config.LayerCount).Select(i => i % 2 == 0 ? AttentionKind.SlidingWindow : AttentionKind.Full)],
        };
    }

    public static ModelConfig Glm4Moe(ConfigKeys keys)
    {
        var attention = Attention(keys, keys.Flag("attention_bias", false), outputBias: false, headSize: 128) with
        {
            QueryKeyNorm = keys.Flag("use_qk_norm", false) ? QueryKeyNorm.PerHead : QueryKeyNorm.None,
        };
        var moe = GroupedMoe(keys, groups: 1, groupsPerToken: 1, scale: 1) with { Router = RouterKind.SigmoidTopK, SelectionBias = true };
        return Mixture(Decoder(keys, attention, epsilon: 1e-5, rotaryFraction: 0.5), moe, DenseFirst(keys, absent: 1));
    }

    public static ModelConfig Dbrx(ConfigKeys keys)
    {
        var attentionKeys = keys.Object("attn_config") ?? throw keys.Missing("attn_config");
        var feedForward = keys.Object("ffn_config") ?? throw keys.Missing("ffn_config");
        feedForward.Object("ffn_act_fn")?.Choice("name", "silu", "silu");
        feedForward.Ignore("tie_word_embeddings", "moe_normalize_expert_weights");
        attentionKeys.Ignore("tie_word_embeddings");
        int hidden = keys.Size("d_model"), heads = keys.Size("n_heads"), layers = keys.Size("n_layers", MostLayers);
        int keyValueHeads = attentionKeys.Size("kv_n_heads");
        CheckHeads(attentionKeys, "kv_n_heads", keyValueHeads, "n_heads", heads);
        var moe = Moe(feedForward, ["moe_num_experts"], "ffn_hidden_size", "moe_top_k") with
        {
            NormalizeWeights = true,
            AuxiliaryLossWeight = feedForward.OptionalNumber("moe_loss_weight"),
        };
        return new ModelConfig
        {
            ModelType = "dbrx",
            HiddenSize = hidden,
            VocabularySize = keys.Size("vocab_size"),
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, layers)],
            MoeLayers = [.. Enumerable.Repeat(true, layers)],
            Attention = new(heads, keyValueHeads, HeadSize(keys, "d_model", hidden, "n_heads", heads)) { Clip = attentionKeys.OptionalNumber("clip_qkv") },
            Rotary = new(attentionKeys.PositiveNumber("rope_theta", 10000)),
            Norm = new(NormKind.Layer, 1e-5),
            Moe = moe,
            TiedEmbeddings = keys.Flag("tie_word_embeddings", false),
            MaxPositions = keys.OptionalSize("max_seq_len"),
        };
    }

    public static ModelConfig PhiMoe(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", false);
        var moe = Moe(keys, Experts, "intermediate_size") with { Router = RouterKind.SparseMixer };
        var config = Mixture(Decoder(keys, Attention(keys, bias, bias), denseSize: 0, epsilon: 1e-5, theta: 1e6), moe, _ => true);
        return Windowed(keys, config with
        {
            Norm = new(NormKind.Layer, config.Norm.Epsilon) { Bias = true },
            HeadBias = keys.Flag("lm_head_bias", false),
        });
    }

    public static ModelConfig Grok1(ConfigKeys keys)
    {
        keys.Ignore("attn_output_multiplier", "embedding_multiplier_scale", "output_multiplier_scale", "max_attn_value");
        var moe = Moe(keys, Experts, "intermediate_size");
        var config = Mixture(Decoder(keys, Attention(keys, keyValueHeads: null), denseSize: 0, epsilon: 1e-5, tied: true), moe, _ => true);
        return config with { Norm = config.Norm with { PerLayer = 4 }, FeedForward = FeedForwardKind.GeGluTanh };
    }

    public static ModelConfig Llama4(ConfigKeys keys)
    {
        bool bias = keys.Flag("attention_bias", false);
        var attention = Attention(keys, bias, bias, headSize: 128) with
        {
            QueryKeyNorm = keys.Flag("use_qk_norm", true) ? QueryKeyNorm.WithoutWeights : QueryKeyNorm.None,
            ChunkSize = keys.States("attention_chunk_size") ? keys.OptionalSize("attention_chunk_size") : 8192,
        };
        keys.Ignore("attn_scale", "attn_temperature_tuning", "floor_scale");
        int intermediateSize = keys.Size("intermediate_size");
        var moe = Moe(keys, Experts, "intermediate_size") with { SharedIntermediateSize = intermediateSize, Router = RouterKind.SigmoidTopK };
        var config = Decoder(keys, attention, denseSize: keys.Size("intermediate_size_mlp"), epsilon: 1e-5, theta: 500000);
        int step = keys.OptionalSize("interleave_moe_layer_step") ?? 1;
        var listed = LayerList(keys, "moe_layers", config.LayerCount);
        return Mixture(config, moe, i => listed?.Contains(i) ?? (i + 1) % step == 0) with
        {
            Rotary = config.Rotary! with { Interleaved = true },
            LayerAttention = Llama4Layers(keys, config.LayerCount, attention.ChunkSize is not null),
        };
    }

    /// <summary>Layers with a rotary embedding see the positions of their chunk only; every fourth, unless the file lists others, has none and sees all.</summary>
    private static AttentionKind[] Llama4Layers(ConfigKeys keys, int layers, bool hasChunks)
    {
        var rotated = keys.Integers("no_rope_layers"); // despite its name: 1 for a layer with a rotary embedding
        int interval = keys.OptionalSize("no_rope_layer_interval") ?? 4;
        if (rotated is { Count: > 0 } && rotated.Count < layers)
            throw keys.Error("no_rope_layers", $"has {rotated.Count} entries; it must have one for each of the {layers} layers");
        return LayerTypes(keys, layers) ?? [.. Enumerable.Range(0, layers).Select(i =>
            hasChunks && (rotated is { Count: > 0 } ? rotated[i] != 0 : (i + 1) % interval != 0) ? AttentionKind.Chunked : AttentionKind.Full)];
    }

    public static ModelConfig SwitchTransformers(ConfigKeys keys)
    {
        int layers = keys.Size("num_layers", MostLayers), decoderLayers = keys.OptionalSize("num_decoder_layers", MostLayers) ?? layers;
        int heads = keys.Size("num_heads");
        keys.Ignore("relative_attention_max_distance", "expert_capacity", "router_type", "router_ignore_padding_tokens", "batch_prioritized_routing",
            "scalable_attention", "is_encoder_decoder", "dense_act_fn", "add_router_probs");
        if (keys.Count("num_selected_experts", 1) > 1) throw keys.Error("num_selected_experts", "is above 1; a switch layer has one expert for each token");
        bool[] encoder = Sparse("encoder", layers), decoder = Sparse("decoder", decoderLayers);
        string projection = keys.Text("feed_forward_proj") ?? keys.Text("dense_act_fn") ?? "relu";
        bool gated = keys.Flag("is_gated_act", false) || projection.StartsWith("gated-", StringComparison.Ordinal);
        bool sparse = encoder.Contains(true) || decoder.Contains(true);
        return new ModelConfig
        {
            ModelType = "switch_transformers",
            HiddenSize = keys.Size("d_model"),
            VocabularySize = keys.Size("vocab_size"),
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, decoderLayers)],
            MoeLayers = decoder,
            Attention = new(heads, heads, keys.Size("d_kv")),
            Norm = new(NormKind.Rms, keys.PositiveNumber("layer_norm_epsilon", 1e-6)),
            FeedForward = gated ? FeedForwardKind.GeGluTanh : projection.Contains("gelu", StringComparison.Ordinal) ? FeedForwardKind.Gelu : FeedForwardKind.Relu,
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

        // A stack's every n-th layer is sparse, counted from its second one; n comes from the number of sparse layers
        // where that is given.
        bool[] Sparse(string stack, int count)
        {
            string sparseKey = $"num_sparse_{stack}_layers", stepKey = $"{stack}_sparse_step";
            int step = keys.Count(stepKey, 0);
            if (keys.Has(sparseKey))
            {
                int sparseLayers = keys.Count(sparseKey, 0);
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

    /// <summary>The common part of a decoder with RMSNorm, SwiGLU and rotary embeddings, all of its layers dense and with full attention.</summary>
    private static ModelConfig Decoder(ConfigKeys keys, AttentionConfig attention, int? denseSize = null, double epsilon = 1e-6,
        double theta = 10000, double rotaryFraction = 1, bool tied = false)
    {
        int layers = keys.Size("num_hidden_layers", MostLayers);
        if (!keys.Flag("use_sliding_window", true)) keys.Ignore("sliding_window"); // Qwen's way to say that there are no windows
        return new ModelConfig
        {
            ModelType = keys.Text("model_type") ?? throw keys.Missing("model_type"),
            HiddenSize = keys.Size("hidden_size"),
            VocabularySize = keys.Size("vocab_size"),
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, layers)],
            MoeLayers = [.. Enumerable.Repeat(false, layers)],
            Attention = attention,
            Rotary = Rotary(keys, theta, rotaryFraction),
            Norm = new(NormKind.Rms, keys.PositiveNumber("rms_norm_eps", epsilon)),
            FeedForward = FeedForward(keys),
            IntermediateSize = denseSize ?? keys.Size("intermediate_size"),
            TiedEmbeddings = keys.Flag("tie_word_embeddings", tied),
            MaxPositions = keys.OptionalSize("max_position_embeddings"),
        };
    }

    private static ModelConfig Mixture(ModelConfig config, MoeConfig moe, Func<int, bool> isMoe)
    {
        bool[] layers = [.. Enumerable.Range(0, config.LayerCount).Select(isMoe)];
        return config with { MoeLayers = layers, Moe = layers.Contains(true) ? moe : null };
    }

    private static MoeConfig Moe(ConfigKeys keys, string[] countKeys, string sizeKey, params string[] topKeys)
    {
        if (topKeys.Length == 0) topKeys = ["num_experts_per_tok"];
        int count = keys.Size(countKeys), top = keys.Size(topKeys);
        if (top > count)
        {
            throw keys.Error(topKeys.First(keys.Has),
                $"is {top}, more than the {count} experts of \"{keys.Name(countKeys.First(keys.Has))}\"; it must be from 1 to {count}");
        }

        return new(count, top, keys.Size(sizeKey)) { AuxiliaryLossWeight = keys.OptionalNumber("router_aux_loss_coef") };
    }

    /// <summary>DeepSeek's experts; <paramref name="sharedExperts"/> is how many are shared where the file does not say.</summary>
    private static MoeConfig DeepSeekMoe(ConfigKeys keys, int sharedExperts)
    {
        var moe = Moe(keys, ["n_routed_experts", .. Experts], "moe_intermediate_size");
        int shared = keys.Count("n_shared_experts", keys.States("n_shared_experts") ? 0 : sharedExperts);
        return moe with
        {
            SharedIntermediateSize = checked(shared * moe.IntermediateSize),
            AuxiliaryLossWeight = keys.OptionalNumber("aux_loss_alpha"),
        };
    }

    /// <summary>The experts of DeepSeek-V3 and its relatives, with what their code takes where the file does not say.</summary>
    private static MoeConfig GroupedMoe(ConfigKeys keys, int groups, int groupsPerToken, double scale)
    {
        var moe = DeepSeekMoe(keys, sharedExperts: 1) with
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

    private static AttentionConfig Attention(ConfigKeys keys, bool queryKeyValueBias = false, bool outputBias = false, int? keyValueHeads = 0, int? headSize = null)
    {
        int hidden = keys.Size("hidden_size"), heads = keys.Size("num_attention_heads");
        // keyValueHeads null: an absent key means one key and value head a query head.
        int shared = keyValueHeads is null ? keys.OptionalSize("num_key_value_heads") ?? heads : keys.Size("num_key_value_heads");
        CheckHeads(keys, "num_key_value_heads", shared, "num_attention_heads", heads);
        int size = keys.OptionalSize("head_dim") ?? headSize ?? HeadSize(keys, "hidden_size", hidden, "num_attention_heads", heads);
        return new(heads, shared, size) { QueryKeyValueBias = queryKeyValueBias, OutputBias = outputBias };
    }

    private static AttentionConfig Qwen3Attention(ConfigKeys keys, int? headSize)
    {
        bool bias = keys.Flag("attention_bias", false);
        keys.Ignore("use_qk_norm");
        return Attention(keys, bias, bias, headSize: headSize) with { QueryKeyNorm = QueryKeyNorm.PerHead };
    }

    private static ModelConfig HybridQwen(ConfigKeys keys, bool normalizeWeights)
    {
        keys.Ignore("intermediate_size"); // read where some layer is dense
        var attention = Qwen3Attention(keys, headSize: 256) with { OutputGate = keys.Flag("attn_output_gate", true) };
        var moe = Moe(keys, Experts, "moe_intermediate_size") with
        {
            NormalizeWeights = normalizeWeights,
            SharedIntermediateSize = keys.Size("shared_expert_intermediate_size"),
            SharedExpertGate = true,
        };
        var linear = new LinearAttentionConfig(
            keys.Size("linear_num_key_heads"), keys.Size("linear_num_value_heads"),
            keys.Size("linear_key_head_dim"), keys.Size("linear_value_head_dim"), keys.Size("linear_conv_kernel_dim"));
        if (linear.ValueHeads % linear.KeyHeads != 0)
            throw keys.Error("linear_num_value_heads", $"is {linear.ValueHeads}; it must be a multiple of \"linear_num_key_heads\" ({linear.KeyHeads})");
        var isMoe = SparseStep(keys);
        int layers = keys.Size("num_hidden_layers", MostLayers), interval = keys.OptionalSize("full_attention_interval") ?? 4;
        bool anyDense = Enumerable.Range(0, layers).Any(i => !isMoe(i));
        var config = Decoder(keys, attention, denseSize: anyDense ? null : 0, rotaryFraction: 0.25);
        if (config.FeedForward != FeedForwardKind.SwiGlu)
            throw keys.Error("hidden_act", $"is \"{keys.Text("hidden_act")}\"; linear attention is known with silu only");
        return Mixture(config, moe, isMoe) with
        {
            Norm = config.Norm with { ZeroCentered = true },
            LinearAttention = linear,
            LayerAttention = LayerTypes(keys, layers)
                ?? [.. Enumerable.Range(0, layers).Select(i => (i + 1) % interval == 0 ? AttentionKind.Full : AttentionKind.Linear)],
        };
    }

    private static int HeadSize(ConfigKeys keys, string hiddenKey, int hidden, string headsKey, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw keys.Error(hiddenKey, $"is {hidden}; without a head size of its own it must be a multiple of \"{keys.Name(headsKey)}\" ({heads})");

    private static void CheckHeads(ConfigKeys keys, string keyValueKey, int keyValueHeads, string headsKey, int heads)
    {
        if (heads % keyValueHeads != 0)
            throw keys.Error(keyValueKey, $"is {keyValueHeads}; it must divide \"{headsKey}\" ({heads})");
    }

    private static FeedForwardKind FeedForward(ConfigKeys keys) => keys.Text("hidden_act") switch
    {
        null or "silu" or "swish" => FeedForwardKind.SwiGlu,
        "gelu" => FeedForwardKind.GeGlu,
        "gelu_new" or "gelu_pytorch_tanh" => FeedForwardKind.GeGluTanh,
        var other => throw keys.Error("hidden_act", $"is \"{other}\"; known are silu, swish, gelu, gelu_new and gelu_pytorch_tanh"),
    };

    private static RotaryConfig Rotary(ConfigKeys keys, double theta, double fraction)
    {
        // Newer files gather everything about positions in one object, whose older name is rope_scaling.
        string name = keys.Has("rope_scaling") ? "rope_scaling" : "rope_parameters";
        keys.Ignore("rope_parameters", "rope_theta", "partial_rotary_factor");
        var parameters = keys.Object(name);
        if (parameters?.HasObjects == true)
            throw keys.Error(name, "describes kinds of layers one by one; one description for all layers is allowed");
        double given = (parameters?.Has("rope_theta") == true ? parameters : keys).PositiveNumber("rope_theta", theta);
        double partial = (parameters?.Has("partial_rotary_factor") == true ? parameters : keys).PositiveNumber("partial_rotary_factor", fraction);
        if (partial > 1) throw keys.Error("partial_rotary_factor", $"is {partial}; it must be above 0 and at most 1");
        return new(given) { Fraction = partial, Scaling = Scaling(parameters, keys.OptionalSize("max_position_embeddings")) };
    }

    private static RotaryScaling? Scaling(ConfigKeys? keys, int? maxPositions)
    {
        string? kind = keys?.Text("rope_type") ?? keys?.Text("type");
        if (keys is null || kind is null or "default") return null;
        int? original = keys.OptionalSize("original_max_position_embeddings");
        // YaRN's factor may be left to the two lengths.
        double? ratio = kind == "yarn" && original is not null ? maxPositions / (double)original : null;
        if (kind is "linear" or "llama3" or "yarn" && ratio is null && !keys.Has("factor")) throw keys.Missing(keys.Name("factor"));
        return new(kind, keys.PositiveNumber("factor", ratio ?? 1))
        {
            OriginalMaxPositions = original,
            BetaFast = keys.Number("beta_fast", 32),
            BetaSlow = keys.Number("beta_slow", 1),
            Truncate = keys.Flag("truncate", true),
            AttentionFactor = keys.OptionalNumber("attention_factor"),
            MScale = keys.OptionalNumber("mscale"),
            MScaleAllDimensions = keys.OptionalNumber("mscale_all_dim"),
            LowFrequencyFactor = keys.Number("low_freq_factor", 1),
            HighFrequencyFactor = keys.Number("high_freq_factor", 4),
        };
    }

    /// <summary>The sliding window that the file names; null is none, and an absent key what the family's code takes.</summary>
    private static int? Window(ConfigKeys keys, int? absent) => keys.States("sliding_window") ? keys.OptionalSize("sliding_window") : absent;

    /// <summary>Every layer has the sliding window, if there is one.</summary>
    private static ModelConfig Windowed(ConfigKeys keys, ModelConfig config, int? absent = null) => Window(keys, absent) is not { } window ? config : config with
    {
        Attention = config.Attention with { SlidingWindow = window },
        LayerAttention = [.. Enumerable.Repeat(AttentionKind.SlidingWindow, config.LayerCount)],
    };

    /// <summary>Qwen's windows are off unless <c>use_sliding_window</c> says so. Which layers have one, the file lists, or each family's code derives from <c>max_window_layers</c>.</summary>
    private static ModelConfig QwenWindows(ConfigKeys keys, ModelConfig config, Func<int, int, bool> hasWindow)
    {
        var listed = LayerTypes(keys, config.LayerCount);
        keys.Ignore("sliding_window", "max_window_layers");
        int? window = keys.Flag("use_sliding_window", false) ? Window(keys, absent: 4096) : null;
        if (window is null)
        {
            return listed?.Contains(AttentionKind.SlidingWindow) != true ? config
                : throw keys.Error("layer_types", "has an entry \"sliding_attention\", but \"use_sliding_window\" is not true or \"sliding_window\" is null");
        }

        int bound = keys.Count("max_window_layers", 28);
        return config with
        {
            Attention = config.Attention with { SlidingWindow = window },
            LayerAttention = listed ?? [.. Enumerable.Range(0, config.LayerCount).Select(i => hasWindow(i, bound) ? AttentionKind.SlidingWindow : AttentionKind.Full)],
        };
    }

    private static AttentionKind[]? LayerTypes(ConfigKeys keys, int layers)
    {
        if (keys.Texts("layer_types") is not { } types) return null;
        if (types.Count != layers)
            throw keys.Error("layer_types", $"has {types.Count} entries; it must have one for each of the {layers} layers");
        return [.. types.Select(type => type switch
        {
            "full_attention" => AttentionKind.Full,
            "sliding_attention" => AttentionKind.SlidingWindow,
            "chunked_attention" => AttentionKind.Chunked,
            "linear_attention" => AttentionKind.Linear,
            _ => throw keys.Error("layer_types", $"has an entry \"{type}\"; known are full_attention, sliding_attention, chunked_attention and linear_attention"),
        })];
    }

    private static Func<int, bool> SparseStep(ConfigKeys keys)
    {
        int step = keys.OptionalSize("decoder_sparse_step") ?? 1;
        var dense = LayerList(keys, "mlp_only_layers", keys.Size("num_hidden_layers", MostLayers)) ?? [];
        return i => !dense.Contains(i) && (i + 1) % step == 0;
    }

    private static Func<int, bool> DenseFirst(ConfigKeys keys, int absent)
    {
        int first = keys.Count("first_k_dense_replace", absent), every = keys.OptionalSize("moe_layer_freq") ?? 1;
        int layers = keys.Size("num_hidden_layers", MostLayers);
        if (first > layers) throw keys.Error("first_k_dense_replace", $"is {first}; it must not exceed \"num_hidden_layers\" ({layers})");
        return i => i >= first && i % every == 0;
    }

    private static HashSet<int>? LayerList(ConfigKeys keys, string key, int layers)
    {
        if (keys.Integers(key) is not { } list) return null;
        foreach (int layer in list)
        {
            if (layer < 0 || layer >= layers) throw keys.Error(key, $"names layer {layer}; layers are 0 to {layers - 1}");
        }

        return [.. list];
    }
}
