using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>How a family's checkpoints name and lay out the weights of <see cref="CausalLanguageModel"/>.</summary>
/// <remarks>Our names are those of Qwen3-MoE with each layer's experts stacked; a family differs in a few words and in the layout of its experts.</remarks>
/// <param name="words">Words in our names, and what the family writes instead.</param>
internal sealed partial class TensorNames(params (string Ours, string Theirs)[] words)
{
    /// <summary>The forms in which the family's files hold a parameter; of those that are for it, the first is the one that is written.</summary>
    public IReadOnlyList<TensorForm> Forms { get; init; } = [SplitExperts(), Whole];

    /// <summary>How the names of what a published model has beside its language model begin; null where it has nothing.</summary>
    public string? Beside { get; init; }

    /// <summary>The forms in which one of our parameters is found in published files; the first is the one that is written.</summary>
    /// <param name="config">The model.</param>
    /// <param name="name">Our name.</param>
    /// <param name="shape">Our shape.</param>
    public IEnumerable<IEnumerable<TensorSlice>> FormsOf(ModelConfig config, string name, long[] shape)
    {
        var published = words.Aggregate(name, (text, word) => text.Replace(word.Ours, word.Theirs, StringComparison.Ordinal));
        // Newer tools write Qwen's names for every family.
        return new[] { published, name }.Distinct().SelectMany(theirs => Forms.Select(form => form(config, theirs, shape))).OfType<IEnumerable<TensorSlice>>();
    }

    /// <summary>Whether a tensor that the model does not use may be in its files all the same.</summary>
    /// <param name="config">The model.</param>
    /// <param name="name">The published name.</param>
    /// <param name="predictionLayers">How many multi-token-prediction layers the file has behind the model's own.</param>
    public bool IsHarmless(ModelConfig config, string name, int predictionLayers)
    {
        if (name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)) return true; // a buffer that older tools wrote
        if (config.TiedEmbeddings && name == "lm_head.weight") return true;
        if (ScaleOfActivations().IsMatch(name)) return true;
        if (name.StartsWith("mtp.", StringComparison.Ordinal) || name.StartsWith("model.mtp.", StringComparison.Ordinal)) return true;
        if (Beside is not null && name.StartsWith(Beside, StringComparison.Ordinal)) return true;
        return LayerNumber().Match(name) is { Success: true } layer && int.TryParse(layer.Groups["layer"].ValueSpan, out var number)
            && number >= config.LayerCount && number - config.LayerCount < predictionLayers;
    }

    /// <summary>One tensor, as it lies here.</summary>
    public static IEnumerable<TensorSlice> Whole(ModelConfig config, string name, long[] shape) => [new(name, shape, p => p)];

    /// <summary>Three matrices an expert, under the family's names.</summary>
    public static TensorForm SplitExperts(string gate = "gate_proj", string up = "up_proj", string down = "down_proj")
    {
        return (_, name, shape) => StackedExperts().Match(name) is { Success: true } stacked
            ? Split(name[..stacked.Groups["projection"].Index], stacked.Groups["projection"].Value == "down_proj", shape)
            : null;

        IEnumerable<TensorSlice> Split(string prefix, bool isDown, long[] shape)
        {
            var size = shape[1] / 2;
            for (var i = 0; i < shape[0]; i++)
            {
                var e = i; // each view keeps its own
                if (isDown)
                {
                    yield return new($"{prefix}{e}.{down}.weight", shape[1..], p => p.select(0, e));
                    continue;
                }

                yield return new($"{prefix}{e}.{gate}.weight", [size, shape[2]], p => p.select(0, e).narrow(0, 0, size));
                yield return new($"{prefix}{e}.{up}.weight", [size, shape[2]], p => p.select(0, e).narrow(0, size, size));
            }
        }
    }

    [GeneratedRegex(@"\.experts\.(?<projection>gate_up_proj|down_proj)$")]
    private static partial Regex StackedExperts();

    [GeneratedRegex(@"^model\.(language_model\.)?layers\.(?<layer>\d+)\.")]
    private static partial Regex LayerNumber();

    /// <summary>Scales with which engines quantise activations and caches; the weights are the same without them.</summary>
    [GeneratedRegex(@"\.(input_scale|k_scale|v_scale)$")]
    private static partial Regex ScaleOfActivations();
}
