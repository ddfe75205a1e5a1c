using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>Qwen3-Next (Qwen Team 2025): three layers of Gated DeltaNet to one of gated attention, many small experts and a shared one.</summary>
internal static class Qwen3Next
{
    public static ModelFamily Family { get; } = new("qwen3_next", keys => Read(keys, keys.Flag("norm_topk_prob", true)), "Qwen3NextForCausalLM")
    {
        Write = Write,
        Tensors = new() { Forms = [TensorNames.SplitExperts(), TensorNames.Whole, Qwen35Moe.SplitProjections] },
    };

    /// <summary>From the keys to the model, for Qwen3.5 too.</summary>
    public static ModelConfig Read(ConfigKeys keys, bool normalizeWeights)
    {
        keys.Ignore("intermediate_size"); // read where some layer is dense
        var attention = QwenKeys.Attention(keys, headSize: 256) with { OutputGate = keys.Flag("attn_output_gate", true) };
        var moe = ExpertKeys.Read(keys, "moe_intermediate_size") with
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
        var isMoe = QwenKeys.SparseStep(keys);
        int layers = DecoderKeys.Layers(keys), interval = keys.OptionalSize("full_attention_interval") ?? 4;
        var anyDense = Enumerable.Range(0, layers).Any(i => !isMoe(i));
        var config = DecoderKeys.Read(keys, attention, denseSize: anyDense ? null : 0, rotaryFraction: 0.25);
        if (config.FeedForward != FeedForwardKind.SwiGlu)
            throw keys.Error("hidden_act", $"is \"{keys.Text("hidden_act")}\"; linear attention is known with silu only");
        return config.WithExperts(moe, isMoe) with
        {
            Norm = config.Norm with { ZeroCentered = true },
            LinearAttention = linear,
            LayerAttention = LayerKeys.Types(keys, layers)
                ?? [.. Enumerable.Range(0, layers).Select(i => (i + 1) % interval == 0 ? AttentionKind.Full : AttentionKind.Linear)],
        };
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = QwenKeys.WriteExperts(json, config);
        json["shared_expert_intermediate_size"] = moe.SharedIntermediateSize;
        json["attention_bias"] = config.Attention.OutputBias;
        if (!config.Attention.OutputGate) json["attn_output_gate"] = false;
        json["partial_rotary_factor"] = config.Rotary?.Fraction;
        json["layer_types"] = LayerKeys.Types(config);
        var firstFull = config.LayerAttention.ToList().IndexOf(AttentionKind.Full);
        if (firstFull >= 0) json["full_attention_interval"] = firstFull + 1;
        if (config.LinearAttention is not { } linear) return;
        json["linear_conv_kernel_dim"] = linear.ConvolutionKernel;
        json["linear_key_head_dim"] = linear.KeyHeadSize;
        json["linear_value_head_dim"] = linear.ValueHeadSize;
        json["linear_num_key_heads"] = linear.KeyHeads;
        json["linear_num_value_heads"] = linear.ValueHeads;
    }
}
