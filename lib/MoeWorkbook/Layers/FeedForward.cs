using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A dense feed-forward block: gated, W_down(act(W_gate·x) ⊙ W_up·x) (Shazeer 2020), or plain, W_down·act(W_up·x) (Vaswani et al. 2017).</summary>
public sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly FeedForwardKind _kind;
    private readonly SwiGluClamp? _clamp;
    private readonly Projection? _gate;
    private readonly Projection _up;
    private readonly Projection _down;

    /// <summary>A block from <paramref name="hiddenSize"/> through <paramref name="intermediateSize"/> and back.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="intermediateSize">Intermediate size.</param>
    /// <param name="kind">The form of the block.</param>
    /// <param name="bias">Whether the projections have biases.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <param name="clamp">The constants of clamped SwiGLU; null for gpt-oss's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public FeedForward(int hiddenSize, int intermediateSize, FeedForwardKind kind = FeedForwardKind.SwiGlu, bool bias = false,
        ParameterInit? init = null, SwiGluClamp? clamp = null)
        : base(nameof(FeedForward))
    {
        init ??= new();
        (_kind, _clamp) = (kind, clamp);
        if (kind.IsGated()) register_module("gate_proj", _gate = new(hiddenSize, intermediateSize, bias, init));
        register_module("up_proj", _up = new(hiddenSize, intermediateSize, bias, init));
        register_module("down_proj", _down = new(intermediateSize, hiddenSize, bias, init.ForResidual));
    }

    /// <summary>Computes the block for every position on its own.</summary>
    /// <param name="hidden"><c>[…, hidden]</c>.</param>
    /// <returns><c>[…, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The last dimension, type or device does not fit.</exception>
    public override Tensor forward(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var up = _up.forward(hidden); // […, intermediate]
        var intermediate = _gate is null ? Activation.Apply(_kind, up) : Activation.Gated(_kind, _gate.forward(hidden), up, _clamp); // […, intermediate]
        return _down.forward(intermediate).MoveToOuterDisposeScope();
    }

    /// <summary>Does nothing: the constructor registers every part under its published name, and TorchSharp would add each field under its own.</summary>
    protected override void RegisterComponents()
    {
    }
}
