using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Noisy top-k gating: H = x·W + ε ⊙ softplus(x·W_noise) with ε ~ N(0, 1); the k largest H are taken, weighted by their softmax (Shazeer et al. 2017,
/// eqs. 3–5).</summary>
/// <remarks>The noise is there while training only. Its learned size gives <see cref="BalancingLoss.ShazeerLoad"/> a gradient.</remarks>
public sealed class NoisyTopKRouter : LinearRouter
{
    /// <summary>A router to k of E experts. Both matrices start at zero in the paper; here W_noise does, so that noise begins with σ = ln 2.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public NoisyTopKRouter(int hiddenSize, int expertCount, int expertsPerToken, ParameterInit? init = null)
        : base(nameof(NoisyTopKRouter), hiddenSize, expertCount, init ??= new())
    {
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);
        register_parameter("noise_weight", init.Constant(0, expertCount, hiddenSize));
    }

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        if (!training) return Decide(input, logits, logits);
        var noiseLogits = functional.linear(input.Hidden.reshape(-1, HiddenSize).Upcast(), get_parameter("noise_weight")!.Upcast());
        var deviation = functional.softplus(noiseLogits); // σ, [tokens, experts]
        var noise = Noise.Normal(logits.shape, logits.dtype, logits.device, input.Generator); // [tokens, experts]
        var noisy = logits + noise * deviation; // H, [tokens, experts]
        return Decide(input, logits, noisy) with { NoisyLogits = noisy, NoiseDeviation = deviation };
    }

    private RoutingDecision Decide(RouterInput input, Tensor logits, Tensor decided)
    {
        var (chosen, experts) = TopK(decided, ExpertsPerToken); // both [tokens, k]
        return RoutingDecision.TopK(input, logits, decided.softmax(-1), experts, chosen.softmax(-1));
    }
}
