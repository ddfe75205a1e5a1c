using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The keys of a decoder with RMSNorm, gated feed-forward blocks and rotary embeddings, which most families share.</summary>
internal static class DecoderKeys
{
    private const int MostLayers = 65_536;

    /// <summary>A decoder whose layers are all dense and have full attention.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="attention">What <see cref="AttentionKeys"/> gave.</param>
    /// <param name="denseSize">The intermediate size of dense blocks; null for <c>intermediate_size</c>.</param>
    /// <param name="epsilon">The norms' ε where the file does not say.</param>
    /// <param name="theta">The rotary base where the file does not say.</param>
    /// <param name="rotaryFraction">The rotated share of a head where the file does not say.</param>
    /// <param name="tied">Whether the head is the embedding where the file does not say.</param>
    public static ModelConfig Read(ConfigKeys keys, AttentionConfig attention, int? denseSize = null, double epsilon = 1e-6,
        double theta = 10000, double rotaryFraction = 1, bool tied = false)
    {
        var layers = Layers(keys);
        if (!keys.Flag("use_sliding_window", true)) keys.Ignore("sliding_window"); // Qwen's way to say that there are no windows
        return new ModelConfig
        {
            ModelType = keys.Text("model_type") ?? throw keys.Missing("model_type"),
            HiddenSize = keys.Size("hidden_size"),
            VocabularySize = keys.Size("vocab_size"),
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, layers)],
            MoeLayers = [.. Enumerable.Repeat(false, layers)],
            Attention = attention,
            Rotary = RotaryKeys.Read(keys, theta, rotaryFraction),
            Norm = new(NormKind.Rms, keys.PositiveNumber("rms_norm_eps", epsilon)),
            FeedForward = FeedForward(keys),
            IntermediateSize = denseSize ?? keys.Size("intermediate_size"),
            TiedEmbeddings = keys.Flag("tie_word_embeddings", tied),
            MaxPositions = keys.OptionalSize("max_position_embeddings"),
        };
    }

    /// <summary>How many layers there are.</summary>
    public static int Layers(ConfigKeys keys, string key = "num_hidden_layers") => keys.Size(key, MostLayers);

    /// <summary>How many layers there are, where the file says it.</summary>
    public static int? OptionalLayers(ConfigKeys keys, string key) => keys.OptionalSize(key, MostLayers);

    /// <summary>The keys that all families' files share; each family adds its own.</summary>
    /// <param name="architecture">The name of the model's class.</param>
    /// <param name="config">The model.</param>
    /// <param name="dtype">The type of its weights.</param>
    /// <param name="endOfText">The token between texts; null for none.</param>
    public static JsonObject Write(string architecture, ModelConfig config, ScalarType dtype, int? endOfText)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture),
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
        if (config.Rotary is { } rotary) RotaryKeys.Write(json, rotary);
        return json;
    }

    private static FeedForwardKind FeedForward(ConfigKeys keys) => keys.Text("hidden_act") switch
    {
        null or "silu" or "swish" => FeedForwardKind.SwiGlu,
        "gelu" => FeedForwardKind.GeGlu,
        "gelu_new" or "gelu_pytorch_tanh" => FeedForwardKind.GeGluTanh,
        var other => throw keys.Error("hidden_act", $"is \"{other}\"; known are silu, swish, gelu, gelu_new and gelu_pytorch_tanh"),
    };
}
