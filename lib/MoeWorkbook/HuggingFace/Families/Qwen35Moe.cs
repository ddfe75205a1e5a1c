using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Qwen3.5-MoE (Qwen Team 2026): Qwen3-Next's layers, in a multimodal model or alone.</summary>
internal static class Qwen35Moe
{
    private static readonly TensorForm[] _forms = [TensorNames.Whole, TensorNames.SplitExperts(), SplitProjections];

    /// <summary>The language model alone.</summary>
    public static ModelFamily Text { get; } = new("qwen3_5_moe_text", Read, "Qwen3_5MoeForCausalLM") { Tensors = new() { Forms = _forms } };

    /// <summary>The language model beside a vision tower.</summary>
    public static ModelFamily Family { get; } = new("qwen3_5_moe", Read, "Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM")
    {
        TextType = Text.ModelType,
        Tensors = new(
            ("model.layers.", "model.language_model.layers."),
            ("model.norm.", "model.language_model.norm."),
            ("model.embed_tokens.", "model.language_model.embed_tokens."))
        {
            Forms = _forms,
            Beside = "model.visual.",
        },
    };

    private static ModelConfig Read(ConfigKeys keys) => Qwen3Next.Read(keys, normalizeWeights: true);

    /// <summary>The form of Gated DeltaNet's projections: queries, keys and values of all heads one after another, gates and the two rates apart.</summary>
    /// <remarks>Ours lie key head by key head.</remarks>
    public static IEnumerable<TensorSlice>? SplitProjections(ModelConfig config, string name, long[] shape)
    {
        if (config.LinearAttention is not { } linear) return null;
        long hidden = shape[^1], key = linear.KeyHeadSize, value = linear.ValueWidth / linear.KeyHeads, rates = linear.ValueHeads / linear.KeyHeads;
        if (name.EndsWith(".in_proj_qkvz.weight", StringComparison.Ordinal))
        {
            string qkv = Renamed("in_proj_qkvz", "in_proj_qkv"), z = Renamed("in_proj_qkvz", "in_proj_z");
            long[] qkvShape = [linear.ConvolutionWidth, hidden];
            return
            [
                new(qkv, qkvShape, p => Rows(p, 0, key)),
                new(qkv, qkvShape, p => Rows(p, key, key), linear.KeyWidth),
                new(qkv, qkvShape, p => Rows(p, 2 * key, value), 2L * linear.KeyWidth),
                new(z, [linear.ValueWidth, hidden], p => Rows(p, 2 * key + value, value)),
            ];
        }

        if (!name.EndsWith(".in_proj_ba.weight", StringComparison.Ordinal)) return null;
        long[] rateShape = [linear.ValueHeads, hidden];
        return
        [
            new(Renamed("in_proj_ba", "in_proj_b"), rateShape, p => Rows(p, 0, rates)),
            new(Renamed("in_proj_ba", "in_proj_a"), rateShape, p => Rows(p, rates, rates)),
        ];

        string Renamed(string ours, string theirs) => name.Replace(ours, theirs, StringComparison.Ordinal);
        Tensor Rows(Tensor p, long start, long length) => p.view(linear.KeyHeads, -1, hidden).narrow(1, start, length);
    }
}
