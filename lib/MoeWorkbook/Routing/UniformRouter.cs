using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Perfectly even routing for timing: tokens are dealt to experts in turn, k to each token, all with weight 1/k. It looks at no hidden
/// state.</summary>
public sealed class UniformRouter : Router
{
    /// <summary>A router that deals tokens to E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public UniformRouter(int hiddenSize, int expertCount, int expertsPerToken) : base(nameof(UniformRouter), hiddenSize, expertCount) =>
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var (tokens, device) = (input.Hidden.shape[0] * input.Hidden.shape[1], input.Hidden.device);
        var experts = arange(tokens * ExpertsPerToken, ScalarType.Int64, device).remainder(ExpertCount).view(tokens, ExpertsPerToken); // [tokens, k]
        var logits = zeros(tokens, ExpertCount, dtype: ScalarType.Float32, device: device); // [tokens, experts]
        var weights = full(tokens, ExpertsPerToken, 1.0 / ExpertsPerToken, dtype: ScalarType.Float32, device: device); // [tokens, k]
        return RoutingDecision.TopK(input, logits, logits.softmax(-1), experts, weights);
    }
}
