using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>How a family's checkpoints name and lay out the weights of <see cref="CausalLanguageModel"/>.</summary>
/// <remarks>Our names are those of Qwen3-MoE with each layer's experts stacked; a family differs from them in a few words and in the layout of its experts.</remarks>
internal sealed partial class PublishedLayout(ModelConfig config)
{
    /// <summary>The types that have a forward pass here, and so weights to load.</summary>
    public static IReadOnlyCollection<string> ModelTypes { get; } = [.. HuggingFaceConfigWriter.ModelTypes, "qwen3_5_moe", "qwen3_5_moe_text"];

    /// <summary>Words in our names, and what the family writes instead.</summary>
    private readonly (string Ours, string Theirs)[] _words = config.ModelType switch
    {
        "mixtral" => [(".mlp.", ".block_sparse_moe.")],
        "deepseek" or "deepseek_v3" or "kimi_k2" or "glm4_moe" => [(".mlp.shared_expert.", ".mlp.shared_experts.")],
        "gpt_oss" => [(".mlp.gate.", ".mlp.router.")],
        "qwen3_5_moe" => [("model.layers.", "model.language_model.layers."), ("model.norm.", "model.language_model.norm."), ("model.embed_tokens.", "model.language_model.embed_tokens.")],
        _ => [],
    };

    /// <summary>The family's names of an expert's gate, up and down projections.</summary>
    private readonly (string Gate, string Up, string Down) _expert = config.ModelType == "mixtral" ? ("w1", "w3", "w2") : ("gate_proj", "up_proj", "down_proj");

    /// <summary>The forms in which one of our parameters is found in published files; the first is the one that is written.</summary>
    /// <param name="name">Our name.</param>
    /// <param name="shape">Our shape.</param>
    public IEnumerable<IEnumerable<PublishedPart>> Forms(string name, long[] shape)
    {
        var published = Published(name);
        foreach (var form in Forms(name, published, shape)) yield return form;
        // Newer tools write Qwen's names for every family.
        if (published == name) yield break;
        foreach (var form in Forms(name, name, shape)) yield return form;
    }

    private IEnumerable<IEnumerable<PublishedPart>> Forms(string name, string published, long[] shape)
    {
        if (ExpertsName().Match(name) is not { Success: true } experts)
        {
            yield return [new(published, shape, p => p)];
            if (name.EndsWith(".in_proj_qkvz.weight", StringComparison.Ordinal)) yield return SplitInputs(published, shape[1]);
            if (name.EndsWith(".in_proj_ba.weight", StringComparison.Ordinal)) yield return SplitRates(published, shape[1]);
            yield break;
        }

        if (config.ModelType == "gpt_oss")
        {
            yield return [GptOssExperts(name, shape)];
            yield break;
        }

        var projection = experts.Groups["projection"].Value;
        var split = SplitExperts(published[..^projection.Length], projection == "down_proj", shape);
        IEnumerable<PublishedPart> stacked = [new(published, shape, p => p)];
        var isStacked = config.ModelType.StartsWith("qwen3_5_moe", StringComparison.Ordinal);
        yield return isStacked ? stacked : split;
        yield return isStacked ? split : stacked;
    }

    /// <summary>Whether a tensor that the model does not use may be in its files all the same.</summary>
    /// <param name="name">The published name.</param>
    /// <param name="predictionLayers">How many multi-token-prediction layers the file has behind the model's own.</param>
    public bool IsHarmless(string name, int predictionLayers)
    {
        if (name.EndsWith("rotary_emb.inv_freq", StringComparison.Ordinal)) return true; // a buffer that older tools wrote
        if (config.TiedEmbeddings && name == "lm_head.weight") return true;
        if (ScaleOfActivations().IsMatch(name)) return true;
        if (name.StartsWith("mtp.", StringComparison.Ordinal) || name.StartsWith("model.mtp.", StringComparison.Ordinal)) return true;
        if (config.ModelType == "qwen3_5_moe" && name.StartsWith("model.visual.", StringComparison.Ordinal)) return true;
        return LayerNumber().Match(name) is { Success: true } layer && int.TryParse(layer.Groups["layer"].ValueSpan, out var number)
            && number >= config.LayerCount && number - config.LayerCount < predictionLayers;
    }

    private string Published(string name) => _words.Aggregate(name, (text, word) => text.Replace(word.Ours, word.Theirs, StringComparison.Ordinal));

    /// <summary>Three matrices an expert.</summary>
    private IEnumerable<PublishedPart> SplitExperts(string prefix, bool isDown, long[] shape)
    {
        var size = shape[1] / 2;
        for (var i = 0; i < shape[0]; i++)
        {
            var e = i; // each view keeps its own
            if (isDown)
            {
                yield return new($"{prefix}{e}.{_expert.Down}.weight", shape[1..], p => p.select(0, e));
                continue;
            }

            yield return new($"{prefix}{e}.{_expert.Gate}.weight", [size, shape[2]], p => p.select(0, e).narrow(0, 0, size));
            yield return new($"{prefix}{e}.{_expert.Up}.weight", [size, shape[2]], p => p.select(0, e).narrow(0, size, size));
        }
    }

    /// <summary>gpt-oss stores x·W rather than x·Wᵀ, and gate and value alternately.</summary>
    private static PublishedPart GptOssExperts(string name, long[] shape)
    {
        var experts = shape[0];
        if (name.EndsWith("gate_up_proj", StringComparison.Ordinal))
            return new(name, [experts, shape[2], shape[1]], p => p.view(experts, 2, shape[1] / 2, shape[2]).permute(0, 3, 2, 1));
        if (name.EndsWith("gate_up_proj_bias", StringComparison.Ordinal))
            return new(name, shape, p => p.view(experts, 2, shape[1] / 2).transpose(1, 2));
        return name.EndsWith("down_proj", StringComparison.Ordinal) ? new(name, [experts, shape[2], shape[1]], p => p.transpose(1, 2)) : new(name, shape, p => p);
    }

    /// <summary>Qwen3.5 stores queries, keys and values of all heads one after another, and the gates apart; ours lie key head by key head.</summary>
    private PublishedPart[] SplitInputs(string fused, long hidden)
    {
        var linear = config.LinearAttention!;
        long key = linear.KeyHeadSize, value = linear.ValueWidth / linear.KeyHeads;
        long[] shape = [linear.ConvolutionWidth, hidden];
        string qkv = fused.Replace("in_proj_qkvz", "in_proj_qkv", StringComparison.Ordinal), z = fused.Replace("in_proj_qkvz", "in_proj_z", StringComparison.Ordinal);
        return
        [
            new(qkv, shape, p => Slice(p, 0, key)),
            new(qkv, shape, p => Slice(p, key, key), linear.KeyWidth),
            new(qkv, shape, p => Slice(p, 2 * key, value), 2L * linear.KeyWidth),
            new(z, [linear.ValueWidth, hidden], p => Slice(p, 2 * key + value, value)),
        ];

        TorchSharp.torch.Tensor Slice(TorchSharp.torch.Tensor p, long start, long length) => p.view(linear.KeyHeads, -1, hidden).narrow(1, start, length);
    }

    /// <summary>Qwen3.5 stores the two rates of Gated DeltaNet apart; ours lie key head by key head.</summary>
    private PublishedPart[] SplitRates(string fused, long hidden)
    {
        var linear = config.LinearAttention!;
        long each = linear.ValueHeads / linear.KeyHeads;
        long[] shape = [linear.ValueHeads, hidden];
        return
        [
            new(fused.Replace("in_proj_ba", "in_proj_b", StringComparison.Ordinal), shape, p => p.view(linear.KeyHeads, -1, hidden).narrow(1, 0, each)),
            new(fused.Replace("in_proj_ba", "in_proj_a", StringComparison.Ordinal), shape, p => p.view(linear.KeyHeads, -1, hidden).narrow(1, each, each)),
        ];
    }

    [GeneratedRegex(@"^model\.layers\.\d+\.mlp\.experts\.(?<projection>gate_up_proj|down_proj)(_bias)?$")]
    private static partial Regex ExpertsName();

    [GeneratedRegex(@"^model\.(language_model\.)?layers\.(?<layer>\d+)\.")]
    private static partial Regex LayerNumber();

    /// <summary>Scales with which engines quantise activations and caches; the weights are the same without them.</summary>
    [GeneratedRegex(@"\.(input_scale|k_scale|v_scale)$")]
    private static partial Regex ScaleOfActivations();
}
