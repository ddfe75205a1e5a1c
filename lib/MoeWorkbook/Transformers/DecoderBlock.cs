using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>One decoder layer: h ← h + attention(norm(h)), then h ← h + feed-forward(norm(h)), where the feed-forward block is dense or a Mixture-of-Experts
/// layer.</summary>
public sealed class DecoderBlock : TransformerModule
{
    private readonly Module<Tensor, ForwardContext, Tensor> _attention;
    private readonly Module<Tensor, Tensor> _attentionNorm;
    private readonly Module<Tensor, Tensor> _feedForwardNorm;
    private readonly Module<Tensor, Tensor>? _attentionOutputNorm;
    private readonly Module<Tensor, Tensor>? _feedForwardOutputNorm;
    private readonly FeedForward? _dense;

    /// <summary>A layer of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="layer">The number of the layer, from 0.</param>
    /// <param name="rotary">The rotary embedding that all layers share; null where the model has none.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <param name="router">Makes the router of a Mixture-of-Experts layer; null for the one that the model's description asks for.</param>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The layer has a form without a forward pass here.</exception>
    public DecoderBlock(ModelConfig config, int layer, RotaryEmbedding? rotary, ParameterInit? init = null,
        RouterFactory? router = null) : base(nameof(DecoderBlock))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, config.LayerCount);
        init ??= new();
        AttentionKind = config.LayerAttention[layer];
        _attention = AttentionKind switch
        {
            AttentionKind.Full or AttentionKind.SlidingWindow => new GroupedQueryAttention(
                config.HiddenSize, config.Attention, rotary, config.Norm, AttentionKind == AttentionKind.SlidingWindow, layer, init),
            AttentionKind.Latent => new LatentAttention(
                config.HiddenSize, config.Attention, config.LatentAttention!,
                rotary ?? throw new ArgumentException("Latent attention needs a rotary embedding.", nameof(rotary)), layer, init),
            AttentionKind.Linear => new GatedDeltaNet(config.HiddenSize, config.LinearAttention!, config.Norm.Epsilon, layer, init),
            _ => throw new NotSupportedException($"The attention {AttentionKind} is not supported."),
        };
        register_module(AttentionKind == AttentionKind.Linear ? "linear_attn" : "self_attn", _attention);
        if (config.MoeLayers[layer])
            register_module("mlp", Moe = MoeLayer.FromConfig(config, init, router));
        else
            register_module("mlp", _dense = new(config.HiddenSize, config.IntermediateSize, config.FeedForward, config.FeedForwardBias, init, config.SwiGluClamp));

        register_module("input_layernorm", _attentionNorm = LayerNorm.For(config.HiddenSize, config.Norm, init));
        register_module("post_attention_layernorm", _feedForwardNorm = LayerNorm.For(config.HiddenSize, config.Norm, init));
        if (config.Norm.PerLayer == 2) return;
        if (config.Norm.PerLayer != 4) throw new NotSupportedException($"{config.Norm.PerLayer} norms in a layer are not supported; 2 and 4 are.");
        register_module("post_self_attn_layernorm", _attentionOutputNorm = LayerNorm.For(config.HiddenSize, config.Norm, init));
        register_module("post_mlp_layernorm", _feedForwardOutputNorm = LayerNorm.For(config.HiddenSize, config.Norm, init));
    }

    /// <summary>How the layer mixes information between positions.</summary>
    public AttentionKind AttentionKind { get; }

    /// <summary>The Mixture-of-Experts layer; null where the feed-forward block is dense.</summary>
    public MoeLayer? Moe { get; }

    /// <summary>Computes the layer.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <param name="context">What the layers share.</param>
    /// <returns><c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public override Tensor forward(Tensor hidden, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var scope = NewDisposeScope();
        var attended = _attention.forward(_attentionNorm.forward(hidden), context); // [batch, sequence, hidden]
        if (_attentionOutputNorm is not null) attended = _attentionOutputNorm.forward(attended);
        hidden = hidden + attended;

        var normed = _feedForwardNorm.forward(hidden);
        var computed = Moe is null ? _dense!.forward(normed) : Moe.forward(normed, context); // [batch, sequence, hidden]
        if (_feedForwardOutputNorm is not null) computed = _feedForwardOutputNorm.forward(computed);
        return (hidden + computed).MoveToOuterDisposeScope();
    }
}
