using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The dense models of Qwen3 (Qwen Team 2025): a norm of each query and key head.</summary>
internal static class Qwen3
{
    public static ModelFamily Family { get; } = new("qwen3", Read, "Qwen3ForCausalLM") { Write = Write, Tensors = new() };

    private static ModelConfig Read(ConfigKeys keys) =>
        DecoderKeys.Read(keys, QwenKeys.Attention(keys, headSize: 128)).WithWindows(keys, (layer, bound) => layer >= bound);

    private static void Write(JsonObject json, ModelConfig config)
    {
        json["attention_bias"] = config.Attention.OutputBias;
        QwenKeys.WriteWindows(json, config);
    }
}
