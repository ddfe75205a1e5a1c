using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Routing decisions that no router took: made to order for timing.</summary>
public static class SyntheticRouting
{
    /// <summary>A decision about one sequence of tokens. Every weight is 1/k.</summary>
    /// <param name="pattern">How tokens are spread over experts.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="seed">Fixes the draws, and which expert is popular.</param>
    /// <param name="device">Where its tensors lie; null for the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or k is larger than E.</exception>
    public static RoutingDecision Decide(RoutingPattern pattern, int tokens, int experts, int expertsPerToken, int seed = 0, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(experts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expertsPerToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expertsPerToken, experts);
        var random = new Random(seed);
        var first = random.Next(experts);
        int[] ranked = [.. Enumerable.Range(0, experts)];
        random.Shuffle(ranked);
        long[] chosen = [.. Enumerable.Range(0, tokens).SelectMany(token => pattern switch
        {
            RoutingPattern.Balanced => Enumerable.Range(0, expertsPerToken).Select(slot => (first + token * expertsPerToken + slot) % experts),
            RoutingPattern.Uniform => Draw(_ => 1),
            RoutingPattern.Realistic => Draw(rank => 1.0 / (rank + 1)),
            RoutingPattern.Collapsed => ranked.Take(expertsPerToken),
            _ => throw new ArgumentOutOfRangeException(nameof(pattern), pattern, "Not a pattern."),
        }).Select(expert => (long)expert)];

        device ??= CPU;
        using var scope = NewDisposeScope();
        var table = tensor(chosen, [tokens, expertsPerToken], device: device); // [tokens, k]
        var logits = zeros(tokens, experts, device: device); // [tokens, experts]
        return RoutingDecision.TopK(new(zeros(1, tokens, 1, device: device)), logits, logits.softmax(-1), table,
            full(tokens, expertsPerToken, 1.0 / expertsPerToken, device: device))
            .MoveToOuterDisposeScope();

        // Drawing k without replacement: the k first arrivals of as many exponential clocks.
        IEnumerable<int> Draw(Func<int, double> weight) =>
            [.. ranked.Select((expert, rank) => (expert, Arrival: -Math.Log(1 - random.NextDouble()) / weight(rank)))
                .OrderBy(clock => clock.Arrival).Take(expertsPerToken).Select(clock => clock.expert)];
    }
}
