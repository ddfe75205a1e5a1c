using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A Mixture-of-Experts layer: the router picks experts for each token, a runner computes them, a shared expert that every token visits is
/// added.</summary>
/// <remarks>It takes the place of a dense feed-forward block. A token whose every assignment was dropped gets zero here and passes through on the residual
/// stream.</remarks>
public sealed class MoeLayer : TransformerModule
{
    private readonly FeedForward? _sharedExpert;
    private readonly Projection? _sharedGate;
    private ExpertRunner _runner = new FastExperts();

    /// <summary>A layer from its parts.</summary>
    /// <param name="router">Picks the experts.</param>
    /// <param name="experts">The routed experts.</param>
    /// <param name="sharedExpert">An expert that every token visits; null for none.</param>
    /// <param name="sharedGate">A projection of the hidden state to one logit whose sigmoid scales the shared expert's output (Qwen2-MoE); null for
    /// none.</param>
    /// <exception cref="ArgumentException">Router and experts differ in number of experts or hidden size.</exception>
    public MoeLayer(Router router, ExpertWeights experts, FeedForward? sharedExpert = null, Projection? sharedGate = null) : base(nameof(MoeLayer))
    {
        ArgumentNullException.ThrowIfNull(router);
        ArgumentNullException.ThrowIfNull(experts);
        if (router.ExpertCount != experts.ExpertCount || router.HiddenSize != experts.HiddenSize)
            throw new ArgumentException($"The router is for {router.ExpertCount} experts of hidden size {router.HiddenSize} but there are {experts.ExpertCount} of {experts.HiddenSize}.", nameof(router));
        (Router, Experts, _sharedExpert, _sharedGate) = (router, experts, sharedExpert, sharedGate);
        register_module("gate", router);
        register_module("experts", experts);
        if (sharedExpert is not null) register_module("shared_expert", sharedExpert);
        if (sharedGate is not null) register_module("shared_expert_gate", sharedGate);
    }

    /// <summary>The layer that a model's description asks for.</summary>
    /// <param name="config">The model.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <param name="router">Makes the router; null for the one of the description, <see cref="Routers.FromConfig"/>.</param>
    /// <exception cref="ArgumentException">The description contradicts itself, or has no experts.</exception>
    /// <exception cref="NotSupportedException">The kind of router has no forward pass here.</exception>
    public static MoeLayer FromConfig(ModelConfig config, ParameterInit? init = null, RouterFactory? router = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        var moe = config.Moe ?? throw new ArgumentException("The model has no experts.", nameof(config));
        init ??= new();
        var gate = (router ?? Routers.FromConfig)(config.HiddenSize, moe, init);
        var experts = new ExpertWeights(moe.ExpertCount, config.HiddenSize, moe.IntermediateSize, config.FeedForward, moe.ExpertBias, init, config.SwiGluClamp);
        var shared = moe.SharedIntermediateSize > 0
            ? new FeedForward(config.HiddenSize, moe.SharedIntermediateSize, config.FeedForward, init: init, clamp: config.SwiGluClamp)
            : null;
        var sharedGate = shared is not null && moe.SharedExpertGate ? new Projection(config.HiddenSize, 1, init: init) : null;
        return new(gate, experts, shared, sharedGate);
    }

    /// <summary>Picks the experts.</summary>
    public Router Router { get; }

    /// <summary>The routed experts.</summary>
    public ExpertWeights Experts { get; }

    /// <summary>How the experts are run; <see cref="FastExperts"/> unless set.</summary>
    public ExpertRunner Runner
    {
        get => _runner;
        set => _runner = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>The limit on each expert's assignments; null, the default, drops nothing.</summary>
    public ExpertCapacity? Capacity { get; set; }

    /// <summary>Computes the layer and records the routing decision.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <param name="context">Token ids and generator for the router, and where the decision is kept.</param>
    /// <returns><c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public override Tensor forward(Tensor hidden, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Expect.Shape(hidden, nameof(hidden), ("batch", -1), ("sequence", -1), ("hidden", Experts.HiddenSize));
        using var scope = NewDisposeScope();
        var routing = Router.forward(new(hidden, context.TokenIds, context.Generator));
        if (Capacity is not null) routing = Capacity.Apply(routing, context.Generator);
        var tokens = hidden.reshape(-1, Experts.HiddenSize); // [tokens, hidden]
        var output = Runner.Run(tokens, routing, Experts).view(hidden.shape); // [batch, sequence, hidden]
        context.Record(routing);
        if (_sharedExpert is not null)
        {
            var shared = _sharedExpert.forward(hidden); // [batch, sequence, hidden]
            output += _sharedGate is null ? shared : _sharedGate.forward(hidden).sigmoid() * shared;
        }

        return output.MoveToOuterDisposeScope();
    }
}
