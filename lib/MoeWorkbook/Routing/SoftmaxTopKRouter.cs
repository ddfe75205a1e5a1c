namespace MoeWorkbook;

/// <summary>Each token goes to the k experts of largest probability: p = softmax(logits), the k largest taken, and divided by their sum where <see cref="NormalizeWeights"/> is set.</summary>
/// <remarks>With renormalisation: Mixtral, Qwen3-MoE, gpt-oss (the softmax over the k largest logits is the same number). Without: OLMoE, Qwen1.5-MoE, DeepSeekMoE (Dai et al. 2024, eq. 9).</remarks>
public sealed class SoftmaxTopKRouter : LinearRouter
{
    /// <summary>A router to k of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="normalizeWeights">Whether a token's weights are divided by their sum.</param>
    /// <param name="scale">A factor on the combine weights.</param>
    /// <param name="bias">Whether the logits have a bias (gpt-oss).</param>
    /// <param name="weights">Where and how the weights are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public SoftmaxTopKRouter(int hiddenSize, int expertCount, int expertsPerToken, bool normalizeWeights = true, double scale = 1, bool bias = false, WeightFactory? weights = null)
        : base(nameof(SoftmaxTopKRouter), hiddenSize, expertCount, bias, weights ?? new())
    {
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);
        NormalizeWeights = normalizeWeights;
        Scale = scale;
    }

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>Whether a token's weights are divided by their sum.</summary>
    public bool NormalizeWeights { get; }

    /// <summary>A factor on the combine weights.</summary>
    public double Scale { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var probabilities = logits.softmax(-1); // [tokens, experts]
        var (chosen, experts) = Largest(probabilities, ExpertsPerToken); // both [tokens, k]
        if (NormalizeWeights) chosen /= chosen.sum(-1, keepdim: true);
        return RoutingDecision.TopK(input, logits, probabilities, experts, chosen * Scale);
    }
}
