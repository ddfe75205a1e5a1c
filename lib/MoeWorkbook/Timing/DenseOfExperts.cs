using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A dense feed-forward block whose weights are the experts' own: with inner size n·ffn it is the sum of n experts, y = Σ Downₑ·act(GateUpₑ·x), so both blocks can be compared without a second copy.</summary>
/// <remarks>All experts make the dense block of equal total parameters, k of them that of equal active parameters.</remarks>
public sealed class DenseOfExperts
{
    private readonly ExpertWeights _experts;

    /// <summary>A dense block of the first experts.</summary>
    /// <param name="experts">The experts, without biases.</param>
    /// <param name="count">How many of them, n.</param>
    /// <exception cref="ArgumentException">The experts have biases.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public DenseOfExperts(ExpertWeights experts, int count)
    {
        ArgumentNullException.ThrowIfNull(experts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, experts.ExpertCount);
        if (experts.GateUpBias is not null) throw new ArgumentException("Experts with biases make no dense block: their output biases would add up.", nameof(experts));
        (_experts, Count) = (experts, count);
    }

    /// <summary>Number of experts n in the block.</summary>
    public int Count { get; }

    /// <summary>Computes the block by matrix products: one for all input projections, one for each part of the output.</summary>
    /// <param name="hidden"><c>[tokens, hidden]</c>.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape or type does not fit.</exception>
    public Tensor Forward(Tensor hidden)
    {
        Expect.Shape(hidden, nameof(hidden), ("tokens", -1), ("hidden", _experts.HiddenSize));
        Expect.Like(hidden, nameof(hidden), _experts.GateUp);
        using var scope = NewDisposeScope();
        var gateUp = _experts.GateUp.narrow(0, 0, Count).view(-1, _experts.HiddenSize); // [n·2·ffn, hidden]
        var projected = functional.linear(hidden, gateUp, null!).view(hidden.shape[0], Count, -1); // [tokens, n, 2·ffn]
        var inner = Activation.Apply(_experts.Kind, projected).unbind(1); // n times [tokens, ffn]
        var down = _experts.Down.unbind();
        var output = zeros_like(hidden);
        for (int e = 0; e < Count; e++) output.addmm_(inner[e], down[e].transpose(0, 1));
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>The same block for an expert runner: every token visits every expert of it, each with weight 1.</summary>
    /// <param name="tokens">Number of tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public RoutingDecision Everywhere(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        using var scope = NewDisposeScope();
        var logits = zeros(tokens, _experts.ExpertCount); // [tokens, experts]
        var table = arange(Count, ScalarType.Int64).unsqueeze(0).expand(tokens, Count).contiguous(); // [tokens, n]
        return RoutingDecision.TopK(new(zeros(1, tokens, 1)), logits, logits.softmax(-1), table, ones(tokens, Count)).MoveToOuterDisposeScope();
    }
}
