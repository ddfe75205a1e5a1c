using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Balanced assignment as optimal transport, in the manner of BASE layers (Lewis et al. 2021; Clark et al. 2022, section 3.1): while training,
/// exp(logits) is scaled by rows and columns until every expert receives the same total, and the k largest scaled values are taken.</summary>
/// <remarks>The scaling only selects; the combine weight is the sigmoid of the unscaled logit (the softmax with k above 1), so the gradient never sees it. In
/// evaluation tokens choose by their logits alone: the scaling compares tokens, and would see the future.</remarks>
public sealed class SinkhornRouter : LinearRouter
{
    /// <summary>A router to k of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="iterations">How often rows and columns are scaled.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public SinkhornRouter(int hiddenSize, int expertCount, int expertsPerToken = 1, int iterations = 30, ParameterInit? init = null)
        : base(nameof(SinkhornRouter), hiddenSize, expertCount, init)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(iterations);
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);
        Iterations = iterations;
    }

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>How often rows and columns are scaled.</summary>
    public int Iterations { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var scores = ExpertsPerToken == 1 ? logits.sigmoid() : logits.softmax(-1); // [tokens, experts]
        var selection = training ? LogTransport(logits, Iterations) : logits; // [tokens, experts]
        var experts = TopK(selection, ExpertsPerToken).Experts; // [tokens, k]
        return RoutingDecision.TopK(input, logits, scores, experts, scores.gather(-1, experts));
    }

    /// <summary>The logarithm of the transport plan: exp(logits) scaled so that each token gives 1 and each expert receives tokens / experts.</summary>
    /// <param name="logits"><c>[tokens, experts]</c>.</param>
    /// <param name="iterations">How often rows and columns are scaled.</param>
    /// <returns><c>[tokens, experts]</c>, without a gradient.</returns>
    /// <exception cref="ArgumentException">The logits are not a matrix of a floating-point type.</exception>
    public static Tensor LogTransport(Tensor logits, int iterations)
    {
        Expect.Shape(logits, nameof(logits), ("tokens", -1), ("experts", -1));
        Expect.Floating(logits, nameof(logits));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var plan = logits.alias();
        var expertShare = Math.Log((double)logits.shape[0] / logits.shape[1]);
        for (var i = 0; i < iterations; i++)
        {
            using var iteration = NewDisposeScope();
            using var before = plan;
            var evenExperts = plan - plan.logsumexp(0, keepdim: true) + expertShare; // each expert receives its share
            plan = (evenExperts - evenExperts.logsumexp(1, keepdim: true)).MoveToOuterDisposeScope(); // each token gives 1
        }

        return plan.MoveToOuterDisposeScope();
    }
}
