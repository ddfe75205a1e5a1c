using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A decoder without its head: token embedding, layers, final norm.</summary>
public sealed class Decoder : TransformerModule
{
    private readonly ModuleList<DecoderBlock> _layers;
    private readonly Module<Tensor, Tensor> _norm;

    /// <summary>The decoder of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <param name="router">Makes the routers; null for those that the model's description asks for.</param>
    internal Decoder(ModelConfig config, ParameterInit init, RouterFactory? router) : base(nameof(Decoder))
    {
        VocabularySize = config.VocabularySize;
        var embedding = new Projection(config.HiddenSize, config.VocabularySize, init: init);
        register_module("embed_tokens", Embedding = embedding);
        var headSize = config.LayerAttention.Contains(AttentionKind.Latent) ? config.LatentAttention!.RotaryHeadSize : config.Attention.HeadSize;
        var rotary = config.Rotary is null ? null : new RotaryEmbedding(config.Rotary, headSize);
        _layers = new([.. Enumerable.Range(0, config.LayerCount).Select(layer => new DecoderBlock(config, layer, rotary, init, router))]);
        register_module("layers", _layers);
        register_module("norm", _norm = LayerNorm.For(config.HiddenSize, config.Norm, init));
    }

    /// <summary>Number of tokens in the vocabulary.</summary>
    public int VocabularySize { get; }

    /// <summary>The layers, in order.</summary>
    public IReadOnlyList<DecoderBlock> Layers => [.. _layers];

    /// <summary>The token embedding, one row of its weight <c>[vocabulary, hidden]</c> a token; as a projection it is the head of a model with tied
    /// embeddings.</summary>
    internal Projection Embedding { get; }

    /// <summary>Computes the final hidden states.</summary>
    /// <param name="tokens">Token ids, 64-bit integers <c>[batch, sequence]</c>.</param>
    /// <param name="context">What the layers share.</param>
    /// <returns>The hidden states after the final norm, <c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit, or a token id is outside the vocabulary.</exception>
    public override Tensor forward(Tensor tokens, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Expect.Shape(tokens, nameof(tokens), ("batch", -1), ("sequence", -1));
        Expect.Integers(tokens, nameof(tokens));
        Expect.SameDevice(tokens, nameof(tokens), Embedding.Weight, "the weight");
        if (tokens.numel() == 0) throw new ArgumentException($"tokens has shape [{tokens.shape[0]}, {tokens.shape[1]}]; at least one token is needed.", nameof(tokens));
        using var scope = NewDisposeScope();
        // One question, so that a GPU is waited for once.
        if (tokens.lt(0).logical_or(tokens.ge(VocabularySize)).any().cpu().item<bool>())
            throw new ArgumentException($"tokens has ids from {tokens.min().cpu().item<long>()} to {tokens.max().cpu().item<long>()}; they must be from 0 to {VocabularySize - 1}.", nameof(tokens));
        var hidden = Embedding.Weight.index_select(0, tokens.flatten()).view(tokens.shape[0], tokens.shape[1], -1); // [batch, sequence, hidden]
        foreach (var layer in _layers)
        {
            var next = layer.forward(hidden, context);
            hidden.Dispose(); // a long prompt through many layers would hold them all
            hidden = next;
        }

        return _norm.forward(hidden).MoveToOuterDisposeScope();
    }
}
