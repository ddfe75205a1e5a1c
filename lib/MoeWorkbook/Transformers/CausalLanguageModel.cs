using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A decoder-only transformer with a language-model head, dense or with Mixture-of-Experts layers, made from a <see cref="ModelConfig"/>
/// alone.</summary>
/// <remarks>Its weights bear Qwen3-MoE's published names (<c>model.layers.0.self_attn.q_proj.weight</c>); the experts of a layer are stacked,
/// <c>…mlp.experts.gate_up_proj</c> <c>[experts, 2·intermediate, hidden]</c> and <c>…mlp.experts.down_proj</c> <c>[experts, hidden,
/// intermediate]</c>.</remarks>
public sealed class CausalLanguageModel : Module<Tensor, Tensor>
{
    private readonly Projection _head;

    /// <summary>A model with random weights: matrices from N(0, 0.02²), norms one, biases zero.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="device">Where the weights lie; null for the CPU. On the meta device (<c>torch.META</c>) a model of any size takes no memory.</param>
    /// <param name="dtype">The type of the weights; null for float32.</param>
    /// <param name="seed">The seed from which the weights are drawn; it gives the same weights on every device.</param>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The architecture has a part without a forward pass here, such as an encoder.</exception>
    public CausalLanguageModel(ModelConfig config, Device? device = null, ScalarType? dtype = null, ulong seed = 0)
        : this(config, new ParameterInit(device, dtype) { Generator = new(seed) })
    {
    }

    /// <summary>A model from an initialiser.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The architecture has a part without a forward pass here, such as an encoder.</exception>
    public CausalLanguageModel(ModelConfig config, ParameterInit init) : this(config, init, router: null)
    {
    }

    /// <summary>A model from an initialiser, and from a router of your own where one is given.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <param name="router">Makes the routers; null for those that the architecture asks for.</param>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The architecture has a part without a forward pass here, such as an encoder.</exception>
    public CausalLanguageModel(ModelConfig config, ParameterInit init, RouterFactory? router) : base(nameof(CausalLanguageModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(init);
        config.Validate();
        if (config.Encoder is not null) throw new NotSupportedException($"{config.ModelType} has an encoder; a causal language model is a decoder alone.");
        Config = config;
        register_module("model", Decoder = new(config, init, router));
        if (config.TiedEmbeddings && config.HeadBias) throw new NotSupportedException("A head that is tied to the embedding cannot have a bias.");
        if (config.TiedEmbeddings) _head = Decoder.Embedding;
        else register_module("lm_head", _head = new(config.HiddenSize, config.VocabularySize, config.HeadBias, init));
    }

    /// <summary>The architecture.</summary>
    public ModelConfig Config { get; }

    /// <summary>The decoder below the head.</summary>
    public Decoder Decoder { get; }

    /// <summary>The Mixture-of-Experts layers, in order; none in a dense model.</summary>
    public IReadOnlyList<MoeLayer> MoeLayers => [.. Decoder.Layers.Select(layer => layer.Moe).OfType<MoeLayer>()];

    /// <summary>The device of the weights.</summary>
    public Device Device => _head.Weight.device;

    /// <summary>Computes the logits of the next token at every position.</summary>
    /// <param name="tokens">Token ids, 64-bit integers <c>[batch, sequence]</c>.</param>
    /// <returns>Logits, <c>[batch, sequence, vocabulary]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit, or a token id is outside the vocabulary.</exception>
    public override Tensor forward(Tensor tokens) => forward(tokens, cache: null);

    /// <summary>Computes the logits of the next token at every new position, after the positions in a cache.</summary>
    /// <param name="tokens">The new tokens' ids, 64-bit integers <c>[batch, sequence]</c>.</param>
    /// <param name="cache">What earlier calls left; the new positions are added. Null to begin at position 0 and keep nothing.</param>
    /// <param name="routing">Receives the routing decision of each Mixture-of-Experts layer, in order; their tensors live in the caller's dispose scope. Null
    /// to keep none.</param>
    /// <param name="generator">The source of the routers' training-time randomness; null for TorchSharp's global one.</param>
    /// <param name="lastOnly">Whether only the last position's logits are wanted, <c>[batch, 1, vocabulary]</c>.</param>
    /// <returns>Logits, <c>[batch, sequence, vocabulary]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit, or a token id is outside the vocabulary.</exception>
    public Tensor forward(Tensor tokens, KeyValueCache? cache, IList<RoutingDecision>? routing = null, Generator? generator = null, bool lastOnly = false)
    {
        using var context = new ForwardContext { TokenIds = tokens, Cache = cache, Routing = routing, Generator = generator };
        using var scope = NewDisposeScope();
        var hidden = Decoder.forward(tokens, context); // [batch, sequence, hidden]
        cache?.Advance(tokens.shape[1]);
        if (lastOnly) hidden = hidden.narrow(1, hidden.shape[1] - 1, 1);
        return _head.forward(hidden).MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: the constructor registers every part under its published name, and TorchSharp would add each field under its own.</summary>
    protected override void RegisterComponents()
    {
    }
}
