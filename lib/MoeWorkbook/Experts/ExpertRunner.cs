using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A way of running the experts that a router chose. Every runner computes the same sum: output of token t = Σ over its kept assignments of weight ·
/// expert(hidden state of t).</summary>
public abstract class ExpertRunner
{
    /// <summary>Runs the experts.</summary>
    /// <param name="hidden">Hidden states, <c>[tokens, hidden]</c>.</param>
    /// <param name="routing">The router's decision about these tokens.</param>
    /// <param name="experts">The experts.</param>
    /// <returns>For each token the weighted sum of its experts' outputs, <c>[tokens, hidden]</c>; zero for a token without a kept assignment.</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit together.</exception>
    public Tensor Run(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        ArgumentNullException.ThrowIfNull(routing);
        ArgumentNullException.ThrowIfNull(experts);
        CheckRouting(hidden, routing, experts.ExpertCount, experts.HiddenSize);
        Expect.Like(hidden, nameof(hidden), experts.GateUp);
        using var scope = NewDisposeScope();
        return Compute(hidden, routing, experts).MoveToOuterDisposeScope();
    }

    private protected static void CheckRouting(Tensor hidden, RoutingDecision routing, int expertCount, int hiddenSize)
    {
        routing.Validate();
        Expect.Shape(routing.Logits, "routing.Logits", ("tokens", -1), ("experts", expertCount));
        Expect.Shape(hidden, nameof(hidden), ("tokens", routing.TokenCount), ("hidden", hiddenSize));
        Expect.SameDevice(routing.Tokens, "routing.Tokens", hidden, nameof(hidden));
    }

    /// <summary>Runs the experts on arguments whose shapes, types and devices were checked. A runner of your own overrides this.</summary>
    /// <param name="hidden">Hidden states, <c>[tokens, hidden]</c>.</param>
    /// <param name="routing">The router's decision about these tokens.</param>
    /// <param name="experts">The experts.</param>
    /// <returns>For each token the weighted sum of its experts' outputs, <c>[tokens, hidden]</c>; zero for a token without a kept assignment.</returns>
    protected internal abstract Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts);
}
