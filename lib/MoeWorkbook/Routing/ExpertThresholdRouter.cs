using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Expert threshold: a token goes to every expert whose probability for it exceeds that expert's threshold, a running mean of the value that so far
/// let through the expert's share of the tokens (after arXiv:2603.11535).</summary>
/// <remarks>Even in the long run like expert choice, and without a loss; but no token is compared with another of its sequence, so a causal model does not see
/// the future. Tokens have different numbers of experts, and may have none.</remarks>
public sealed class ExpertThresholdRouter : LinearRouter
{
    // Below every probability: not known before the first training step.
    private const double Unknown = -1;

    /// <summary>A router with a threshold for each expert.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="meanExpertsPerToken">How many experts a token gets on average; each expert's share of the tokens is this / E.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or the mean is larger than E.</exception>
    public ExpertThresholdRouter(int hiddenSize, int expertCount, double meanExpertsPerToken = 1, ParameterInit? init = null)
        : base(nameof(ExpertThresholdRouter), hiddenSize, expertCount, init)
    {
        if (!(meanExpertsPerToken > 0 && meanExpertsPerToken <= expertCount))
            throw new ArgumentOutOfRangeException(nameof(meanExpertsPerToken), meanExpertsPerToken, $"meanExpertsPerToken must be above 0, and at most the number of experts, {expertCount}.");
        MeanExpertsPerToken = meanExpertsPerToken;
        var threshold = (init ?? new()).Constant(Unknown, expertCount);
        threshold.requires_grad = false;
        register_parameter("threshold", threshold);
    }

    /// <summary>How many experts a token gets on average.</summary>
    public double MeanExpertsPerToken { get; }

    /// <summary>How much of the threshold each training step keeps; 0.9 unless set.</summary>
    public double Decay { get; init; } = 0.9;

    /// <summary>The probability that a token must exceed to come to an expert, <c>[experts]</c>. Forward passes in training mode move it and no gradient does;
    /// −1 before the first, when every token comes to every expert.</summary>
    public Tensor Threshold => get_parameter("threshold")!;

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var probabilities = logits.softmax(-1); // [tokens, experts]
        if (training) MoveThreshold(probabilities);
        var chosen = probabilities > Threshold; // [tokens, experts]
        var pairs = chosen.nonzero(); // [assignments, 2], in the order of the tokens
        return RoutingDecision.Flat(input, logits, probabilities, pairs.select(1, 0), pairs.select(1, 1), probabilities.masked_select(chosen));
    }

    /// <summary>Moves every threshold towards the value that exactly the expert's share of these tokens exceeds.</summary>
    private void MoveThreshold(Tensor probabilities)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var tokens = probabilities.shape[0];
        var share = Math.Min(tokens - 1, (long)Math.Round(tokens * MeanExpertsPerToken / ExpertCount));
        var least = probabilities.sort(0, descending: true).Values[share]; // [experts], the largest value that is not let through
        Threshold.copy_(where(Threshold < 0, least, Decay * Threshold + (1 - Decay) * least));
    }
}
