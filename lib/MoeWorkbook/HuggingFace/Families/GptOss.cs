using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>gpt-oss (OpenAI 2025): biases everywhere, attention sinks, a window on every other layer, a clamped SwiGLU.</summary>
internal static class GptOss
{
    public static ModelFamily Family { get; } = new("gpt_oss", Read, "GptOssForCausalLM")
    {
        Write = Write,
        Tensors = new((".mlp.gate.", ".mlp.router.")) { Forms = [Transposed, TensorNames.Whole] },
    };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", true);
        var attention = AttentionKeys.Read(keys, bias, bias, headSize: 64) with { Sinks = true, SlidingWindow = LayerKeys.Window(keys, absent: 128) };
        var moe = ExpertKeys.Read(keys, "intermediate_size", topKeys: ["num_experts_per_tok", "experts_per_token"]) with
        {
            NormalizeWeights = true,
            RouterBias = true,
            ExpertBias = true,
        };
        var config = DecoderKeys.Read(keys, attention, denseSize: 0, epsilon: 1e-5, theta: 150000).WithExperts(moe);
        return config with
        {
            FeedForward = FeedForwardKind.ClampedSwiGlu,
            SwiGluClamp = new(keys.PositiveNumber("swiglu_limit", 7), keys.Number("swiglu_alpha", 1.702)),
            // A file that says nothing about positions means the published model's; null means no scaling.
            Rotary = keys.States("rope_scaling") || keys.States("rope_parameters") ? config.Rotary
                : config.Rotary! with { Scaling = new("yarn", 32) { OriginalMaxPositions = 4096, Truncate = false } },
            LayerAttention = LayerKeys.Types(keys, config.LayerCount)
                ?? [.. Enumerable.Range(0, config.LayerCount).Select(i => i % 2 == 0 ? AttentionKind.SlidingWindow : AttentionKind.Full)],
        };
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = ExpertKeys.Write(json, config, "num_local_experts");
        json["experts_per_token"] = moe.ExpertsPerToken;
        json["intermediate_size"] = moe.IntermediateSize;
        json["attention_bias"] = config.Attention.OutputBias;
        json["sliding_window"] = config.Attention.SlidingWindow;
        json["layer_types"] = LayerKeys.Types(config);
        json["swiglu_limit"] = config.SwiGluClamp.Limit;
        if (config.SwiGluClamp.Slope != new SwiGluClamp().Slope) json["swiglu_alpha"] = config.SwiGluClamp.Slope;
        json["initial_context_length"] = config.Rotary?.Scaling?.OriginalMaxPositions ?? config.MaxPositions;
        json["output_router_logits"] = false;
    }

    /// <summary>Experts are stored as x·W rather than x·Wᵀ, with gate and value alternately.</summary>
    private static IEnumerable<TensorSlice>? Transposed(ModelConfig config, string name, long[] shape) => name.Split(".experts.")[^1] switch
    {
        "gate_up_proj" => [new(name, [shape[0], shape[2], shape[1]], p => p.view(shape[0], 2, shape[1] / 2, shape[2]).permute(0, 3, 2, 1))],
        "gate_up_proj_bias" => [new(name, shape, p => p.view(shape[0], 2, shape[1] / 2).transpose(1, 2))],
        "down_proj" => [new(name, [shape[0], shape[2], shape[1]], p => p.transpose(1, 2))],
        _ => null,
    };
}
