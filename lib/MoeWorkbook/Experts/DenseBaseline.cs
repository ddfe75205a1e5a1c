using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Runs experts as if they were one dense feed-forward block: whatever the router says, every token visits the first n experts with weight 1. The
/// block has intermediate size n·intermediate, y = Σ Downₑ·act(GateUpₑ·x), and its weights are the experts' own.</summary>
/// <remarks>All experts make the dense block of equal total parameters, k of them that of equal active parameters: both can be timed beside the Mixture of
/// Experts without a second copy.</remarks>
public sealed class DenseBaseline : ExpertRunner
{
    private readonly int _count;
    private readonly ExpertRunner? _runner;
    private readonly FusedExperts _fused = new();

    /// <summary>A dense block of the first experts.</summary>
    /// <param name="count">How many of them, n.</param>
    /// <param name="runner">How they are computed; null for matrix products, one for all input projections and one for each part of the output.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public DenseBaseline(int count, ExpertRunner? runner = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        (_count, _runner) = (count, runner);
    }

    /// <summary>The dense block of quantised experts, by <see cref="FusedExperts"/>.</summary>
    /// <inheritdoc cref="FusedExperts.Run(Tensor, RoutingDecision, QuantizedExpertWeights)" />
    public Tensor Run(Tensor hidden, RoutingDecision routing, QuantizedExpertWeights experts)
    {
        ArgumentNullException.ThrowIfNull(routing);
        ArgumentNullException.ThrowIfNull(experts);
        CheckCount(experts.ExpertCount);
        using var scope = NewDisposeScope();
        return _fused.Run(hidden, Everywhere(routing), experts).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        CheckCount(experts.ExpertCount);
        if (experts.GateUpBias is not null) throw new ArgumentException("Experts with biases make no dense block: their output biases would add up.", nameof(experts));
        return _runner is null ? Products(hidden, experts) : _runner.Run(hidden, Everywhere(routing), experts);
    }

    private void CheckCount(int experts)
    {
        if (_count > experts) throw new ArgumentException($"A dense block of {_count} experts was asked for, but there are {experts}.", nameof(experts));
    }

    private Tensor Products(Tensor hidden, ExpertWeights experts)
    {
        var gateUp = experts.GateUp.narrow(0, 0, _count).view(-1, experts.HiddenSize); // [n·2·intermediate, hidden]
        var projected = MatrixProduct.Linear(hidden, gateUp).view(hidden.shape[0], _count, -1); // [tokens, n, 2·intermediate]
        var intermediate = Activation.Apply(experts.Kind, projected).unbind(1); // n times [tokens, intermediate]
        var down = experts.Down.unbind();
        var output = zeros_like(hidden);
        for (var e = 0; e < _count; e++) output.add_(MatrixProduct.Linear(intermediate[e], down[e]));
        return output;
    }

    private RoutingDecision Everywhere(RoutingDecision routing)
    {
        var assignments = routing.TokenCount * _count;
        var device = routing.Tokens.device;
        return routing with
        {
            Tokens = arange(routing.TokenCount, ScalarType.Int64, device).unsqueeze(1).expand(routing.TokenCount, _count).flatten(),
            Experts = arange(assignments, ScalarType.Int64, device).remainder(_count),
            Weights = ones(assignments, dtype: routing.Weights.dtype, device: device),
            Kept = ones(assignments, dtype: ScalarType.Bool, device: device),
            ExpertsPerToken = _count,
        };
    }
}
