namespace MoeWorkbook;

/// <summary>Each token goes to the k experts of largest probability: p = softmax(logits), the k largest taken, and divided by their sum where
/// <see cref="NormalizeWeights"/> is set.</summary>
/// <remarks>With renormalisation: Mixtral, Qwen3-MoE, gpt-oss (the softmax over the k largest logits is the same number). Without: OLMoE, Qwen1.5-MoE,
/// DeepSeekMoE (Dai et al. 2024, eq. 9). With a selection bias: ERNIE 4.5.</remarks>
public sealed class SoftmaxTopKRouter : LinearRouter
{
    /// <summary>A router to k of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="bias">Whether the logits have a bias (gpt-oss).</param>
    /// <param name="selectionBias">Whether there is a <see cref="LinearRouter.SelectionBias"/>.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public SoftmaxTopKRouter(int hiddenSize, int expertCount, int expertsPerToken, bool bias = false, bool selectionBias = false, ParameterInit? init = null)
        : base(nameof(SoftmaxTopKRouter), hiddenSize, expertCount, init, bias, selectionBias) =>
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>Whether a token's weights are divided by their sum; true unless set.</summary>
    public bool NormalizeWeights { get; init; } = true;

    /// <summary>A factor on the combine weights; 1 unless set.</summary>
    public double RoutedScalingFactor { get; init; } = 1;

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var probabilities = logits.softmax(-1); // [tokens, experts]
        var experts = TopK(Selection(probabilities), ExpertsPerToken).Experts; // [tokens, k]
        var weights = probabilities.gather(-1, experts); // [tokens, k]
        if (NormalizeWeights) weights /= weights.sum(-1, keepdim: true);
        return RoutingDecision.TopK(input, logits, probabilities, experts, weights * RoutedScalingFactor);
    }
}
