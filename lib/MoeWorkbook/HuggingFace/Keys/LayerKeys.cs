using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The keys that tell layers apart: kinds of attention, sliding windows, and lists of layers.</summary>
internal static class LayerKeys
{
    /// <summary>How <c>layer_types</c> names a kind of attention.</summary>
    public static string NameOf(AttentionKind kind) => kind switch
    {
        AttentionKind.SlidingWindow => "sliding_attention",
        AttentionKind.Chunked => "chunked_attention",
        AttentionKind.Linear => "linear_attention",
        _ => "full_attention",
    };

    /// <summary>The attention of each layer that <c>layer_types</c> lists; null where it is absent.</summary>
    public static AttentionKind[]? Types(ConfigKeys keys, int layers)
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
            _ => throw keys.Error("layer_types",
                $"has an entry \"{type}\"; known are full_attention, sliding_attention, chunked_attention and linear_attention"),
        })];
    }

    /// <summary>The value of <c>layer_types</c>.</summary>
    public static JsonArray Types(ModelConfig config) => new([.. config.LayerAttention.Select(kind => JsonValue.Create(
        kind is AttentionKind.Chunked or AttentionKind.Latent
            ? throw new NotSupportedException($"A {config.ModelType} model has no {kind} attention.")
            : NameOf(kind)))]);

    /// <summary>The sliding window that the file names; null is none, and an absent key what the family's code takes.</summary>
    public static int? Window(ConfigKeys keys, int? absent) => keys.States("sliding_window") ? keys.OptionalSize("sliding_window") : absent;

    /// <summary>The window that all layers share; null where they have none.</summary>
    public static int? Window(ModelConfig config) =>
        config.LayerAttention.Contains(AttentionKind.SlidingWindow) ? config.Attention.SlidingWindow : null;

    /// <summary>The model with the sliding window in every layer, if the file has one.</summary>
    public static ModelConfig WithWindow(this ModelConfig config, ConfigKeys keys, int? absent = null) =>
        Window(keys, absent) is not { } window ? config : config with
        {
            Attention = config.Attention with { SlidingWindow = window },
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.SlidingWindow, config.LayerCount)],
        };

    /// <summary>The layers that a key lists; null where it is absent.</summary>
    public static HashSet<int>? Listed(ConfigKeys keys, string key, int layers)
    {
        if (keys.Integers(key) is not { } list) return null;
        foreach (var layer in list)
        {
            if (layer < 0 || layer >= layers) throw keys.Error(key, $"names layer {layer}; layers are 0 to {layers - 1}");
        }

        return [.. list];
    }
}
