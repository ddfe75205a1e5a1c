using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The workbook's live figures.</summary>
public static partial class LiveFigures
{
    private static readonly string[] _texts = ["the mibe lanos the rotu.\n", "12*34=408;\n12*3", "ACGTACGTTGCA", "2026-11-22 Sun\n2026-", "=> mibe(", "C2E1G4|"];

    /// <summary>A trained model computes in the page what the reader types: every byte with its expert in each layer, the router's probabilities, the likeliest
    /// next bytes; experts can be switched off, and it writes on. The figure carries the weights, 4/3 of their bytes as text.</summary>
    /// <param name="model">A small model of OLMoE's shape on bytes: token id = byte, at most one more id, full attention with norms of queries and keys over
    /// their full width, experts of SwiGLU behind a softmax router in every layer, no biases. At most a million weights.</param>
    /// <param name="texts">What stands in the box at first, and what can be chosen; null for examples of the workbook's synthetic language.</param>
    /// <exception cref="ArgumentException">The model has another form, or there is no text.</exception>
    public static LiveFigure TypedText(CausalLanguageModel model, IReadOnlyList<string>? texts = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        texts ??= _texts;
        if (texts.Count == 0 || texts[0].Length == 0) throw new ArgumentException("there is no text to begin with", nameof(texts));
        var config = model.Config;
        if (Unfit(config) is { } reason) throw new ArgumentException($"the model cannot compute in the page: {reason}", nameof(model));
        var window = Math.Min(config.MaxPositions ?? 64, 128);

        var tensors = new Dictionary<string, long[]>();
        using var weights = new MemoryStream();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            var numbers = parameter.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
            tensors[name] = [weights.Length / sizeof(float), numbers.Length];
            weights.Write(MemoryMarshal.AsBytes<float>(numbers));
        }

        return new("typed-text", "Type your own text",
            "Type, or let the model write: below each letter is the expert that computes it in the first and in the second layer. Point at a letter, or step with the arrow keys, to see what its routers and the model expect.",
            [TypedTextStill(model, texts[0], window)],
            new
            {
                Texts = texts,
                Window = window,
                Hidden = config.HiddenSize,
                Layers = config.LayerCount,
                config.Attention.HeadSize,
                RotaryBase = config.Rotary!.Base,
                config.Norm.Epsilon,
                Experts = config.Moe!.ExpertCount,
                config.Moe.ExpertsPerToken,
                Intermediate = config.Moe.IntermediateSize,
                Normalized = config.Moe.NormalizeWeights,
                Tensors = tensors,
                Weights = Convert.ToBase64String(weights.GetBuffer(), 0, (int)weights.Length),
            }, "routing", "language-model");
    }

    /// <summary>What the page's forward pass lacks for a model; null for nothing.</summary>
    private static string? Unfit(ModelConfig config)
    {
        var (attention, moe) = (config.Attention, config.Moe);
        return config.VocabularySize is < 256 or > 257 ? $"its vocabulary has {config.VocabularySize} tokens and not 256 bytes and an end"
            : moe is null || config.MoeLayers.Contains(false) ? "a layer has no experts"
            : config.LayerAttention.Any(kind => kind != AttentionKind.Full) ? "its attention is not full"
            : attention.QueryKeyNorm != QueryKeyNorm.FullWidth || attention.QueryWidth != config.HiddenSize || attention.KeyValueWidth != config.HiddenSize
                || attention.QueryKeyValueBias || attention.OutputBias || attention.Sinks || attention.OutputGate || attention.Clip is not null
                ? "its attention is not OLMoE's"
            : moe.Router != RouterKind.SoftmaxTopK || moe.SharedIntermediateSize > 0 || moe.RouterBias || moe.SelectionBias || moe.ExpertBias
                || moe.RoutedScalingFactor != 1 || config.FeedForward != FeedForwardKind.SwiGlu ? "its experts or its router are not OLMoE's"
            : config.Norm is not { Kind: NormKind.Rms, PerLayer: 2, ZeroCentered: false } ? "its norms are not OLMoE's"
            : config.Rotary is not { Scaling: null, Fraction: 1, Interleaved: false } ? "its rotary embedding is not OLMoE's"
            : config.TiedEmbeddings || config.HeadBias ? "its head is tied to the embedding or has a bias"
            : ParameterCount.Of(config).TotalParameters is > 1_000_000 and var count ? $"it has {count:N0} weights; at most 1,000,000 are carried"
            : null;
    }

    private static Svg TypedTextStill(CausalLanguageModel model, string text, int window)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > window) bytes = bytes[..window];
        var routed = RoutedText.Of(model, [.. bytes.Select(one => (int)one)], window);
        const int inARow = 24, cell = 31;
        var height = 26 + 20 * routed.LayerCount;
        var rows = (bytes.Length + inARow - 1) / inARow;
        var drawing = new Drawing(Math.Min(bytes.Length, inARow) * cell + 16, rows * height + 8);
        for (var i = 0; i < bytes.Length; i++)
        {
            double x = 8 + i % inARow * cell, y = i / inARow * height + 14;
            var letter = bytes[i] switch
            {
                10 => "↵",
                32 => "␣",
                > 32 and < 127 => ((char)bytes[i]).ToString(),
                var other => other.ToString("X2", CultureInfo.InvariantCulture),
            };
            drawing.Text(x + cell / 2.0, y, letter, size: 15, bold: true);
            for (var layer = 0; layer < routed.LayerCount; layer++)
            {
                var expert = routed.Experts(layer)[i];
                drawing.Box(x + 1, y + 11 + 20 * layer, cell - 3, 18, $"{expert}", FigureStyle.Palette[expert % FigureStyle.Palette.Count]);
            }
        }

        return drawing.ToSvg("Below each letter stands the expert of each layer that computes it.");
    }
}
