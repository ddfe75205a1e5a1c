using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Writes a Hugging Face <c>config.json</c>, with the keys that the engines of each family read.</summary>
/// <remarks>The counterpart of <see cref="HuggingFaceConfig"/>: what is written here reads back as the same <see cref="ModelConfig"/>.</remarks>
public static class HuggingFaceConfigWriter
{
    private static readonly SortedDictionary<string, Action<JsonObject, ModelConfig>> Families = new(StringComparer.Ordinal)
    {
        ["llama"] = Llama,
        ["mistral"] = (json, config) => json["sliding_window"] = Window(config),
        ["mixtral"] = Mixtral,
        ["qwen2_moe"] = Qwen2Moe,
        ["qwen3"] = Qwen3,
        ["qwen3_moe"] = Qwen3Moe,
        ["qwen3_next"] = Qwen3Next,
        ["olmoe"] = Olmoe,
        ["deepseek"] = DeepSeek,
        ["deepseek_v3"] = DeepSeekV3,
        ["kimi_k2"] = DeepSeekV3,
        ["gpt_oss"] = GptOss,
        ["glm4_moe"] = Glm4Moe,
    };

    /// <summary>The <c>model_type</c> values that can be written.</summary>
    public static IReadOnlyCollection<string> ModelTypes => Families.Keys;

    /// <summary>The <c>config.json</c> of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="dtype">The type of its weights, for <c>torch_dtype</c>.</param>
    /// <param name="endOfText">The id of the token that stands between texts, which so begins and ends each; null for none.</param>
    /// <returns>The text of the file.</returns>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The family has no writer, or the family's file cannot express the description: the message names what would be lost.</exception>
    public static string ToJson(ModelConfig config, ScalarType dtype = ScalarType.Float32, int? endOfText = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (!Families.TryGetValue(config.ModelType, out var write))
            throw new NotSupportedException($"A config.json for \"{config.ModelType}\" cannot be written; known are {string.Join(", ", Families.Keys)}.");
        if (config.Rotary?.Scaling?.Kind == "longrope")
            throw new NotSupportedException("A config.json with the rotary scaling \"longrope\" cannot be written: its factors for each dimension are not part of ModelConfig.");
        var json = Common(config, dtype, endOfText);
        write(json, config);
        var text = json.ToJsonString(JsonText.Indented) + "\n";
        CheckNothingIsLost(config, text);
        return text;
    }

    private static JsonObject Common(ModelConfig config, ScalarType dtype, int? endOfText)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(HuggingFaceConfig.ArchitectureOf(config.ModelType)),
            ["model_type"] = config.ModelType,
            ["torch_dtype"] = dtype.ToString().ToLowerInvariant(),
            ["vocab_size"] = config.VocabularySize,
            ["hidden_size"] = config.HiddenSize,
            // Where every layer has experts the key means nothing, but some engines insist on it.
            ["intermediate_size"] = config.IntermediateSize > 0 ? config.IntermediateSize : config.Moe?.IntermediateSize,
            ["num_hidden_layers"] = config.LayerCount,
            ["num_attention_heads"] = config.Attention.HeadCount,
            ["num_key_value_heads"] = config.Attention.KeyValueHeadCount,
            ["hidden_act"] = config.FeedForward switch
            {
                FeedForwardKind.GeGlu => "gelu",
                FeedForwardKind.GeGluTanh => "gelu_pytorch_tanh",
                _ => "silu",
            },
            ["rms_norm_eps"] = config.Norm.Epsilon,
            ["tie_word_embeddings"] = config.TiedEmbeddings,
            ["attention_dropout"] = 0.0,
            ["initializer_range"] = 0.02,
            ["use_cache"] = true,
            // Without these, a family's defaults would stop at tokens that mean something else here, or lie outside of the vocabulary.
            ["bos_token_id"] = endOfText,
            ["eos_token_id"] = endOfText,
            ["pad_token_id"] = null,
        };
        if (config.LatentAttention is null) json["head_dim"] = config.Attention.HeadSize;
        if (config.MaxPositions is { } positions) json["max_position_embeddings"] = positions;
        if (config.Rotary is not { } rotary) return json;
        json["rope_theta"] = rotary.Base;
        json["rope_scaling"] = rotary.Scaling is null ? null : Scaling(rotary.Scaling, config.ModelType);
        if (rotary.Fraction != 1) json["partial_rotary_factor"] = rotary.Fraction;
        return json;
    }

    private static JsonObject Scaling(RotaryScaling scaling, string modelType)
    {
        var json = new JsonObject { ["rope_type"] = scaling.Kind, ["factor"] = scaling.Factor };
        // DeepSeek's own code reads the older name.
        if (modelType is "deepseek" or "deepseek_v3" or "kimi_k2") json["type"] = scaling.Kind;
        Add("original_max_position_embeddings", scaling.OriginalMaxPositions);
        if (scaling.Kind == "yarn")
        {
            json["beta_fast"] = scaling.BetaFast;
            json["beta_slow"] = scaling.BetaSlow;
            if (!scaling.Truncate) json["truncate"] = false;
            Add("attention_factor", scaling.AttentionFactor);
            Add("mscale", scaling.MScale);
            Add("mscale_all_dim", scaling.MScaleAllDimensions);
        }

        if (scaling.Kind == "llama3")
        {
            json["low_freq_factor"] = scaling.LowFrequencyFactor;
            json["high_freq_factor"] = scaling.HighFrequencyFactor;
        }

        return json;

        void Add(string key, double? value)
        {
            if (value is { } number) json[key] = number == Math.Floor(number) && Math.Abs(number) < 1e15 ? JsonValue.Create((long)number) : JsonValue.Create(number);
        }
    }

    private static void Llama(JsonObject json, ModelConfig config)
    {
        json["attention_bias"] = config.Attention.OutputBias;
        json["mlp_bias"] = config.FeedForwardBias;
    }

    private static void Mixtral(JsonObject json, ModelConfig config)
    {
        var moe = Experts(json, config, "num_local_experts");
        json["intermediate_size"] = moe.IntermediateSize;
        json["sliding_window"] = Window(config);
        json["output_router_logits"] = false;
    }

    private static void Qwen2Moe(JsonObject json, ModelConfig config)
    {
        var moe = QwenExperts(json, config);
        json["shared_expert_intermediate_size"] = moe.SharedIntermediateSize;
        json["qkv_bias"] = config.Attention.QueryKeyValueBias;
        QwenWindows(json, config);
    }

    private static void Qwen3(JsonObject json, ModelConfig config)
    {
        json["attention_bias"] = config.Attention.OutputBias;
        QwenWindows(json, config);
    }

    private static void Qwen3Moe(JsonObject json, ModelConfig config)
    {
        QwenExperts(json, config);
        json["attention_bias"] = config.Attention.OutputBias;
        QwenWindows(json, config);
    }

    private static void Qwen3Next(JsonObject json, ModelConfig config)
    {
        var moe = QwenExperts(json, config);
        json["shared_expert_intermediate_size"] = moe.SharedIntermediateSize;
        json["attention_bias"] = config.Attention.OutputBias;
        if (!config.Attention.OutputGate) json["attn_output_gate"] = false;
        json["partial_rotary_factor"] = config.Rotary?.Fraction;
        json["layer_types"] = LayerTypes(config);
        var firstFull = config.LayerAttention.ToList().IndexOf(AttentionKind.Full);
        if (firstFull >= 0) json["full_attention_interval"] = firstFull + 1;
        if (config.LinearAttention is not { } linear) return;
        json["linear_conv_kernel_dim"] = linear.ConvolutionKernel;
        json["linear_key_head_dim"] = linear.KeyHeadSize;
        json["linear_value_head_dim"] = linear.ValueHeadSize;
        json["linear_num_key_heads"] = linear.KeyHeads;
        json["linear_num_value_heads"] = linear.ValueHeads;
    }

    private static void Olmoe(JsonObject json, ModelConfig config)
    {
        var moe = Experts(json, config, "num_experts");
        json["intermediate_size"] = moe.IntermediateSize;
        json["norm_topk_prob"] = moe.NormalizeWeights;
        json["attention_bias"] = config.Attention.OutputBias;
        json["clip_qkv"] = config.Attention.Clip;
        json["output_router_logits"] = false;
    }

    private static void DeepSeek(JsonObject json, ModelConfig config)
    {
        json["attention_bias"] = config.Attention.OutputBias;
        if (!config.IsMixtureOfExperts) return;
        DeepSeekExperts(json, config);
        json["scoring_func"] = "softmax";
    }

    private static void DeepSeekV3(JsonObject json, ModelConfig config)
    {
        var moe = DeepSeekExperts(json, config);
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

    private static void Glm4Moe(JsonObject json, ModelConfig config)
    {
        var moe = DeepSeekExperts(json, config);
        json["routed_scaling_factor"] = moe.RoutedScalingFactor;
        json["num_nextn_predict_layers"] = 0;
        json["attention_bias"] = config.Attention.QueryKeyValueBias;
        json["use_qk_norm"] = config.Attention.QueryKeyNorm == QueryKeyNorm.PerHead;
        json["partial_rotary_factor"] = config.Rotary?.Fraction;
    }

    private static void GptOss(JsonObject json, ModelConfig config)
    {
        var moe = Experts(json, config, "num_local_experts");
        json["experts_per_token"] = moe.ExpertsPerToken;
        json["intermediate_size"] = moe.IntermediateSize;
        json["attention_bias"] = config.Attention.OutputBias;
        json["sliding_window"] = config.Attention.SlidingWindow;
        json["layer_types"] = LayerTypes(config);
        json["swiglu_limit"] = config.SwiGluClamp.Limit;
        if (config.SwiGluClamp.Slope != new SwiGluClamp().Slope) json["swiglu_alpha"] = config.SwiGluClamp.Slope;
        json["initial_context_length"] = config.Rotary?.Scaling?.OriginalMaxPositions ?? config.MaxPositions;
        json["output_router_logits"] = false;
    }

    private static MoeConfig Experts(JsonObject json, ModelConfig config, string countKey)
    {
        var moe = config.Moe ?? throw new NotSupportedException($"A {config.ModelType} model has experts; this one has none.");
        json[countKey] = moe.ExpertCount;
        json["num_experts_per_tok"] = moe.ExpertsPerToken;
        if (moe.AuxiliaryLossWeight is { } weight) json["router_aux_loss_coef"] = weight;
        return moe;
    }

    private static MoeConfig QwenExperts(JsonObject json, ModelConfig config)
    {
        var moe = Experts(json, config, "num_experts");
        json["moe_intermediate_size"] = moe.IntermediateSize;
        json["norm_topk_prob"] = moe.NormalizeWeights;
        json["decoder_sparse_step"] = 1;
        json["mlp_only_layers"] = new JsonArray([.. Enumerable.Range(0, config.LayerCount).Where(i => !config.MoeLayers[i]).Select(i => JsonValue.Create(i))]);
        json["output_router_logits"] = false;
        return moe;
    }

    private static MoeConfig DeepSeekExperts(JsonObject json, ModelConfig config)
    {
        var moe = Experts(json, config, "n_routed_experts");
        json.Remove("router_aux_loss_coef");
        if (moe.AuxiliaryLossWeight is { } weight) json["aux_loss_alpha"] = weight;
        json["moe_intermediate_size"] = moe.IntermediateSize;
        json["n_shared_experts"] = moe.SharedIntermediateSize == 0 ? null : moe.SharedIntermediateSize / moe.IntermediateSize;
        json["n_group"] = moe.GroupCount;
        json["topk_group"] = moe.GroupsPerToken;
        json["norm_topk_prob"] = moe.NormalizeWeights;
        var first = config.MoeLayers.ToList().IndexOf(true);
        var every = Enumerable.Range(1, config.LayerCount)
            .FirstOrDefault(step => Enumerable.Range(0, config.LayerCount).All(i => config.MoeLayers[i] == (i >= first && i % step == 0)), 1);
        json["first_k_dense_replace"] = first;
        // GLM-4.5 has no such key.
        if (every != 1 || config.ModelType != "glm4_moe") json["moe_layer_freq"] = every;
        return moe;
    }

    /// <summary>The window that all layers share; null where they have none.</summary>
    private static int? Window(ModelConfig config) => config.LayerAttention.Contains(AttentionKind.SlidingWindow) ? config.Attention.SlidingWindow : null;

    private static void QwenWindows(JsonObject json, ModelConfig config)
    {
        var first = config.LayerAttention.ToList().IndexOf(AttentionKind.SlidingWindow);
        json["use_sliding_window"] = first >= 0;
        json["sliding_window"] = Window(config);
        json["max_window_layers"] = first >= 0 ? first : config.LayerCount;
        if (first >= 0) json["layer_types"] = LayerTypes(config);
    }

    private static JsonArray LayerTypes(ModelConfig config) => new([.. config.LayerAttention.Select(kind => JsonValue.Create(kind switch
    {
        AttentionKind.Full => "full_attention",
        AttentionKind.SlidingWindow => "sliding_attention",
        AttentionKind.Linear => "linear_attention",
        _ => throw new NotSupportedException($"A {config.ModelType} model has no {kind} attention."),
    }))]);

    /// <summary>Reads the text back: a family's file can say less than <see cref="ModelConfig"/>.</summary>
    private static void CheckNothingIsLost(ModelConfig config, string text)
    {
        ModelConfig read;
        try
        {
            read = HuggingFaceConfig.Parse(text, "the written config.json");
        }
        catch (ModelConfigException e)
        {
            throw new NotSupportedException($"A {config.ModelType} model cannot be described so: {e.Message}", e);
        }

        JsonObject wanted = Properties(config), got = Properties(read);
        foreach (var (name, value) in wanted)
        {
            if (!JsonNode.DeepEquals(value, got[name]))
                throw new NotSupportedException($"The config.json of a {config.ModelType} model cannot express {name} = {value?.ToJsonString() ?? "null"}; it would read back as {got[name]?.ToJsonString() ?? "null"}.");
        }

        // The size of dense blocks means nothing where there are none.
        static JsonObject Properties(ModelConfig config) =>
            JsonSerializer.SerializeToNode(config.MoeLayers.Contains(false) ? config : config with { IntermediateSize = 0 })!.AsObject();
    }
}
