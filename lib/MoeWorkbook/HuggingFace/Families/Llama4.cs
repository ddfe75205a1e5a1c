namespace MoeWorkbook;

/// <summary>Llama 4 (Meta 2025): one sigmoid-weighted expert beside a shared one, attention within chunks; only counted.</summary>
internal static class Llama4
{
    /// <summary>The language model alone.</summary>
    public static ModelFamily Text { get; } = new("llama4_text", Read, "Llama4ForCausalLM");

    /// <summary>The language model beside a vision tower.</summary>
    public static ModelFamily Family { get; } = new("llama4", Read, "Llama4ForConditionalGeneration", "Llama4ForCausalLM") { TextType = Text.ModelType };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", false);
        var attention = AttentionKeys.Read(keys, bias, bias, headSize: 128) with
        {
            QueryKeyNorm = keys.Flag("use_qk_norm", true) ? QueryKeyNorm.WithoutWeights : QueryKeyNorm.None,
            ChunkSize = keys.States("attention_chunk_size") ? keys.OptionalSize("attention_chunk_size") : 8192,
        };
        keys.Ignore("attn_scale", "attn_temperature_tuning", "floor_scale");
        var intermediateSize = keys.Size("intermediate_size");
        var moe = ExpertKeys.Read(keys, "intermediate_size") with { SharedIntermediateSize = intermediateSize, Router = RouterKind.SigmoidTopK };
        var config = DecoderKeys.Read(keys, attention, denseSize: keys.Size("intermediate_size_mlp"), epsilon: 1e-5, theta: 500000);
        var step = keys.OptionalSize("interleave_moe_layer_step") ?? 1;
        var listed = LayerKeys.Listed(keys, "moe_layers", config.LayerCount);
        return config.WithExperts(moe, i => listed?.Contains(i) ?? (i + 1) % step == 0) with
        {
            Rotary = config.Rotary! with { Interleaved = true },
            LayerAttention = Layers(keys, config.LayerCount, attention.ChunkSize is not null),
        };
    }

    /// <summary>Layers with a rotary embedding see their chunk only; every fourth, unless the file lists others, has none and sees all.</summary>
    private static AttentionKind[] Layers(ConfigKeys keys, int layers, bool hasChunks)
    {
        var rotated = keys.Integers("no_rope_layers"); // despite its name: 1 for a layer with a rotary embedding
        var interval = keys.OptionalSize("no_rope_layer_interval") ?? 4;
        if (rotated is { Count: > 0 } && rotated.Count < layers)
            throw keys.Error("no_rope_layers", $"has {rotated.Count} entries; it must have one for each of the {layers} layers");
        return LayerKeys.Types(keys, layers) ?? [.. Enumerable.Range(0, layers).Select(i =>
            hasChunks && (rotated is { Count: > 0 } ? rotated[i] != 0 : (i + 1) % interval != 0) ? AttentionKind.Chunked : AttentionKind.Full)];
    }
}
