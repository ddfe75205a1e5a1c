using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>GShard's router: the two most probable experts, weights renormalised; while training the second is visited only with probability min(1, 2·w₂)
/// (Lepikhin et al. 2020, algorithm 1).</summary>
public sealed class GShardRouter : LinearRouter
{
    /// <summary>A router to two of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E, at least 2.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    public GShardRouter(int hiddenSize, int expertCount, ParameterInit? init = null)
        : base(nameof(GShardRouter), hiddenSize, expertCount, init)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(expertCount, 2);
    }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var probabilities = logits.softmax(-1); // [tokens, experts]
        var (chosen, experts) = TopK(probabilities, 2); // both [tokens, 2]
        var weights = chosen / chosen.sum(-1, keepdim: true); // [tokens, 2]
        var decision = RoutingDecision.TopK(input, logits, probabilities, experts, weights);
        if (!training) return decision;

        var uniform = Noise.Uniform([weights.shape[0]], weights.device, input.Generator); // [tokens]
        var second = weights.detach().select(1, 1) * 2 > uniform; // [tokens]
        return decision with { Kept = stack([ones_like(second), second], 1).flatten() };
    }
}
