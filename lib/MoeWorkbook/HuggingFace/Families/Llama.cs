using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>Llama 2 and 3 (Touvron et al. 2023; Llama Team 2024): the dense decoder that the others vary.</summary>
internal static class Llama
{
    public static ModelFamily Family { get; } = new("llama", Read, "LlamaForCausalLM", "LLaMAForCausalLM") { Write = Write, Tensors = new() };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", false);
        return DecoderKeys.Read(keys, AttentionKeys.Read(keys, bias, bias, grouped: false)) with
        {
            FeedForwardBias = keys.Flag("mlp_bias", false),
        };
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        json["attention_bias"] = config.Attention.OutputBias;
        json["mlp_bias"] = config.FeedForwardBias;
    }
}
