using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Losses that a trainer adds so that a router uses all experts. Each is a scalar, checks its decision (an <see cref="ArgumentException"/> names a
/// tensor of the wrong shape), and is differentiable through the router's scores, not through its choices.</summary>
/// <remarks>At uniform load and uniform probabilities the products of shares are 1 and the squared coefficients of variation 0, for every k. That is a
/// stationary value and no lower bound.</remarks>
public static class BalancingLoss
{
    /// <summary>Switch Transformers' loss E·Σᵢ fᵢ·Pᵢ: f is the share of assignments that expert i has, P its mean probability (Fedus et al. 2021, eq.
    /// 4).</summary>
    /// <param name="routing">A routing decision.</param>
    /// <returns>A scalar: 1 at uniform, E where one expert has all tokens with certainty.</returns>
    public static Tensor Switch(RoutingDecision routing)
    {
        Check(routing);
        using var scope = NewDisposeScope();
        var load = routing.Load().to(ScalarType.Float32); // [experts]
        return ProductOfShares(load / load.sum().clamp_min(1), Probabilities(routing).mean([0L])).MoveToOuterDisposeScope();
    }

    /// <summary>GShard's loss, the same product with f counted over first choices only, times E² to be 1 at uniform (Lepikhin et al. 2020, algorithm
    /// 1).</summary>
    /// <param name="routing">The decision of a top-k router.</param>
    /// <returns>A scalar: 1 at uniform.</returns>
    /// <exception cref="InvalidOperationException">Tokens have different numbers of experts, so there is no first choice.</exception>
    public static Tensor GShard(RoutingDecision routing)
    {
        Check(routing);
        using var scope = NewDisposeScope();
        var first = routing.TopKExperts.select(1, 0); // [tokens]
        var load = zeros(routing.ExpertCount, dtype: ScalarType.Float32, device: first.device)
            .index_add(0, first, ones_like(first, ScalarType.Float32), 1); // [experts]
        return ProductOfShares(load / routing.TokenCount, Probabilities(routing).mean([0L])).MoveToOuterDisposeScope();
    }

    /// <summary>DeepSeek's sequence-wise loss: the same product within each sequence, averaged over sequences (DeepSeek-V3 2024, eqs. 17–20).</summary>
    /// <param name="routing">A routing decision.</param>
    /// <returns>A scalar: 1 where every sequence is uniform.</returns>
    public static Tensor SequenceWise(RoutingDecision routing)
    {
        Check(routing);
        using var scope = NewDisposeScope();
        var (batch, experts) = (routing.Batch, routing.ExpertCount);
        var cell = routing.Tokens.floor_divide(routing.Sequence) * experts + routing.Experts; // [assignments], sequence and expert in one number
        var load = zeros(batch * experts, dtype: ScalarType.Float32, device: cell.device)
            .index_add(0, cell, ones_like(cell, ScalarType.Float32), 1).view(batch, experts);
        var share = load / load.sum(-1, keepdim: true).clamp_min(1); // [batch, experts]
        var probability = Probabilities(routing).view(batch, routing.Sequence, experts).mean([1L]); // [batch, experts]
        return (ProductOfShares(share, probability) / batch).MoveToOuterDisposeScope();
    }

    /// <summary>The squared coefficient of variation of the experts' importance, the sum of their combine weights (Shazeer et al. 2017, eqs. 6–7).</summary>
    /// <param name="routing">A routing decision.</param>
    /// <returns>A scalar: 0 at uniform.</returns>
    public static Tensor ShazeerImportance(RoutingDecision routing)
    {
        Check(routing);
        using var scope = NewDisposeScope();
        var weights = routing.Weights.Upcast();
        var importance = zeros(routing.ExpertCount, dtype: weights.dtype, device: weights.device).index_add(0, routing.Experts, weights, 1); // [experts]
        return SquaredVariation(importance).MoveToOuterDisposeScope();
    }

    /// <summary>The squared coefficient of variation of a smooth load: the probability that expert i would be among the k best if its noise were drawn again
    /// (Shazeer et al. 2017, appendix A).</summary>
    /// <param name="routing">The decision of a <see cref="NoisyTopKRouter"/> while training, with k below the number of experts.</param>
    /// <returns>A scalar: 0 at uniform.</returns>
    /// <exception cref="InvalidOperationException">The decision has no noise, or k is the number of experts.</exception>
    public static Tensor ShazeerLoad(RoutingDecision routing)
    {
        Check(routing);
        if (routing is not { NoisyLogits: { } noisy, NoiseDeviation: { } deviation, ExpertsPerToken: { } k })
            throw new InvalidOperationException("The smooth load needs NoisyLogits and NoiseDeviation: route with a NoisyTopKRouter while training.");
        if (k >= routing.ExpertCount)
            throw new InvalidOperationException($"With k = {k} of {routing.ExpertCount} experts every expert is always chosen: the load cannot vary.");
        using var scope = NewDisposeScope();
        var (best, _) = noisy.sort(-1, descending: true, stable: true);
        var (kth, next) = (best.narrow(-1, k - 1, 1), best.narrow(-1, k, 1)); // both [tokens, 1]
        var toBeat = where(noisy >= kth, next, kth); // [tokens, experts]: the k-th best of the others
        var probability = 0.5 * (1 + ((routing.Logits - toBeat) / (deviation * Math.Sqrt(2))).erf()); // Φ, [tokens, experts]
        return SquaredVariation(probability.sum([0L])).MoveToOuterDisposeScope();
    }

    /// <summary>Router z-loss: the mean over tokens of (log Σ exp logits)², which keeps logits small (Zoph et al. 2022, eq. 5). It balances nothing.</summary>
    /// <param name="routing">A routing decision.</param>
    /// <returns>A scalar.</returns>
    public static Tensor RouterZ(RoutingDecision routing)
    {
        Check(routing);
        using var scope = NewDisposeScope();
        return routing.Logits.Upcast().logsumexp(-1).square().mean().MoveToOuterDisposeScope();
    }

    private static void Check(RoutingDecision routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        routing.Validate();
    }

    /// <summary>The scores as a distribution over experts, <c>[tokens, experts]</c>: sigmoids do not sum to one.</summary>
    private static Tensor Probabilities(RoutingDecision routing)
    {
        var scores = routing.Scores.Upcast();
        return scores / scores.sum(-1, keepdim: true);
    }

    private static Tensor ProductOfShares(Tensor load, Tensor probability) => (load.detach() * probability).sum() * load.shape[^1];

    private static Tensor SquaredVariation(Tensor amounts)
    {
        var mean = amounts.mean();
        return (amounts - mean).square().mean() / (mean.square() + 1e-10);
    }
}
