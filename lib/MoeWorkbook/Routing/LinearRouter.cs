using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A router whose logits are a linear map of the hidden state: logits = x·Wᵀ + b.</summary>
public abstract class LinearRouter : Router
{
    private readonly bool _bias;
    private readonly bool _selectionBias;

    /// <summary>A router with one row of W for each expert.</summary>
    /// <param name="name">The module's name.</param>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts.</param>
    /// <param name="init">How the parameters are made; null for the defaults.</param>
    /// <param name="bias">Whether b is there.</param>
    /// <param name="selectionBias">Whether there is a <see cref="SelectionBias"/>.</param>
    protected LinearRouter(string name, int hiddenSize, int expertCount, ParameterInit? init = null, bool bias = false, bool selectionBias = false)
        : base(name, hiddenSize, expertCount)
    {
        init ??= new();
        (_bias, _selectionBias) = (bias, selectionBias);
        register_parameter("weight", init.Normal(expertCount, hiddenSize));
        if (bias) register_parameter("bias", init.Constant(0, expertCount));
        if (!selectionBias) return;
        var balance = init.Constant(0, expertCount);
        balance.requires_grad = false;
        register_parameter("e_score_correction_bias", balance);
    }

    /// <summary>The weight W, <c>[experts, hidden]</c>.</summary>
    public Tensor Weight => get_parameter("weight")!;

    /// <summary>What is added to each expert's score when experts are chosen, and never to a combine weight, <c>[experts]</c>; it starts at zero and no
    /// gradient reaches it. Null where the router has none.</summary>
    public Tensor? SelectionBias => _selectionBias ? get_parameter("e_score_correction_bias") : null;

    /// <summary>An expert that no token can choose, as if it were not there. Null, the default, for none.</summary>
    public int? AbsentExpert
    {
        get;
        set => field = value is null || value >= 0 && value < ExpertCount
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"AbsentExpert must be from 0 to {ExpertCount - 1}.");
    }

    /// <summary>Balances without a loss: each expert's bias moves by u towards the mean load, b ← b + u·sign(mean load − load) (Wang et al. 2024, algorithm 1).
    /// Call it after each training step.</summary>
    /// <param name="routing">The decision of the step.</param>
    /// <param name="rate">u.</param>
    /// <exception cref="InvalidOperationException">The router has no selection bias.</exception>
    /// <exception cref="ArgumentException">The decision is about another number of experts.</exception>
    public void UpdateSelectionBias(RoutingDecision routing, double rate = 0.001)
    {
        ArgumentNullException.ThrowIfNull(routing);
        routing.Validate();
        var bias = SelectionBias ?? throw new InvalidOperationException("The router has no selection bias.");
        Expect.Shape(routing.Logits, "routing.Logits", ("tokens", -1), ("experts", ExpertCount));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var load = routing.Load().to(bias.dtype);
        bias.add_((load.mean() - load).sign() * rate);
    }

    /// <summary>The logits of every token, computed in float32 where the weights are narrower: choices must not hang on rounding.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <returns><c>[tokens, experts]</c>; −∞ for an <see cref="AbsentExpert"/>.</returns>
    /// <exception cref="ArgumentException">Type or device does not fit.</exception>
    protected Tensor Logits(Tensor hidden)
    {
        var weight = Weight;
        Expect.Like(hidden, nameof(hidden), weight);
        using var scope = NewDisposeScope();
        var tokens = hidden.reshape(-1, HiddenSize).Upcast(); // [tokens, hidden]
        var bias = _bias ? get_parameter("bias")!.Upcast() : null;
        return Present(functional.linear(tokens, weight.Upcast(), bias!)).MoveToOuterDisposeScope(); // [tokens, experts]
    }

    /// <summary>What experts are chosen by: their scores and the selection bias, where there is one.</summary>
    /// <param name="scores"><c>[tokens, experts]</c>.</param>
    /// <returns><c>[tokens, experts]</c>; −∞ for an <see cref="AbsentExpert"/>, whose score a bias could lift above another's.</returns>
    protected Tensor Selection(Tensor scores) => SelectionBias is { } bias ? Present(scores + bias.Upcast()) : scores;

    private Tensor Present(Tensor scores) =>
        AbsentExpert is { } absent ? scores.index_fill(-1, tensor((long)absent, device: scores.device), double.NegativeInfinity) : scores;
}
