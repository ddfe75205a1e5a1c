using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Noisy top-k gating: H = x·W + ε ⊙ softplus(x·W_noise) with ε ~ N(0, 1); the k largest H are taken, weighted by their softmax (Shazeer et al. 2017, eqs. 3–5).</summary>
/// <remarks>The noise is there while training only. Its learned size gives <see cref="BalancingLoss.ShazeerLoad"/> a gradient.</remarks>
public sealed class NoisyTopKRouter : LinearRouter
{
    /// <summary>A router to k of E experts. Both matrices start at zero in the paper; here W_noise does, so that noise begins with σ = ln 2.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="weights">Where and how the weights are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public NoisyTopKRouter(int hiddenSize, int expertCount, int expertsPerToken, WeightFactory? weights = null)
        : base(nameof(NoisyTopKRouter), hiddenSize, expertCount, bias: false, weights ??= new())
    {
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);
        register_parameter("noise_weight", weights.Constant(0, expertCount, hiddenSize));
    }

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        Tensor decided = logits, deviation = logits;
        if (training)
        {
            var noiseLogits = functional.linear(input.Hidden.reshape(-1, HiddenSize).Widened(), get_parameter("noise_weight")!.Widened());
            deviation = functional.softplus(noiseLogits); // σ, [tokens, experts]
            var noise = Noise.Normal(logits.shape, logits.dtype, logits.device, input.Generator); // [tokens, experts]
            decided = logits + noise * deviation;
        }

        var (chosen, experts) = Largest(decided, ExpertsPerToken); // both [tokens, k]
        var decision = RoutingDecision.TopK(input, logits, decided.softmax(-1), experts, chosen.softmax(-1));
        return training ? decision with { NoisyLogits = decided, NoiseDeviation = deviation } : decision;
    }
}
