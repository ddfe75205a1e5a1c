namespace MoeWorkbook;

/// <summary>DBRX (Databricks 2024): layer norm, clipped queries, keys and values, experts in every layer; only counted.</summary>
internal static class Dbrx
{
    public static ModelFamily Family { get; } = new("dbrx", Read, "DbrxForCausalLM");

    private static ModelConfig Read(ConfigKeys keys)
    {
        var attention = keys.Object("attn_config") ?? throw keys.Missing("attn_config");
        var feedForward = keys.Object("ffn_config") ?? throw keys.Missing("ffn_config");
        feedForward.Object("ffn_act_fn")?.Choice("name", "silu", "silu");
        feedForward.Ignore("tie_word_embeddings", "moe_normalize_expert_weights");
        attention.Ignore("tie_word_embeddings");
        int hidden = keys.Size("d_model"), heads = keys.Size("n_heads"), layers = DecoderKeys.Layers(keys, "n_layers");
        var keyValueHeads = attention.Size("kv_n_heads");
        AttentionKeys.CheckHeads(attention, "kv_n_heads", keyValueHeads, "n_heads", heads);
        var moe = ExpertKeys.Read(feedForward, "ffn_hidden_size", ["moe_num_experts"], ["moe_top_k"]) with
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
            Attention = new(heads, keyValueHeads, AttentionKeys.HeadSize(keys, "d_model", hidden, "n_heads", heads))
            {
                Clip = attention.OptionalNumber("clip_qkv"),
            },
            Rotary = new(attention.PositiveNumber("rope_theta", 10000)),
            Norm = new(NormKind.Layer, 1e-5),
            Moe = moe,
            TiedEmbeddings = keys.Flag("tie_word_embeddings", false),
            MaxPositions = keys.OptionalSize("max_seq_len"),
        };
    }
}
