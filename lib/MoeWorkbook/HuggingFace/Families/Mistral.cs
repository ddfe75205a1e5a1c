using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>Mistral 7B (Jiang et al. 2023): Llama with a sliding window.</summary>
internal static class Mistral
{
    public static ModelFamily Family { get; } = new("mistral", Read, "MistralForCausalLM") { Write = Write, Tensors = new() };

    private static ModelConfig Read(ConfigKeys keys) => DecoderKeys.Read(keys, AttentionKeys.Read(keys)).WithWindow(keys, absent: 4096);

    private static void Write(JsonObject json, ModelConfig config) => json["sliding_window"] = LayerKeys.Window(config);
}
