using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>How many distinct experts of a layer a batch of tokens touches: that many experts' weights are read.</summary>
public static class ExpertsTouched
{
    /// <summary>The expected number under uniform, independent routing: E·(1 − (1 − k/E)^B).</summary>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="tokens">Number of tokens B.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive (tokens: negative), or k is larger than E.</exception>
    public static double Expected(int experts, int expertsPerToken, long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(experts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expertsPerToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expertsPerToken, experts);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return experts * (1 - Math.Pow(1 - (double)expertsPerToken / experts, tokens));
    }

    /// <summary>The expected number where experts differ in popularity and tokens choose independently: Σ over experts of 1 − (1 − p)^B.</summary>
    /// <param name="popularity">For each expert the probability p that a token visits it; their sum is k.</param>
    /// <param name="tokens">Number of tokens B.</param>
    /// <exception cref="ArgumentException">A probability is outside 0 to 1.</exception>
    public static double Expected(IEnumerable<double> popularity, long tokens)
    {
        ArgumentNullException.ThrowIfNull(popularity);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return popularity.Sum(p => p is >= 0 and <= 1 ? 1 - Math.Pow(1 - p, tokens) : throw new ArgumentException($"A probability is {p}; it must be from 0 to 1.", nameof(popularity)));
    }

    /// <summary>The number that a decision touches.</summary>
    /// <param name="routing">The decision.</param>
    public static int In(RoutingDecision routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        using var scope = NewDisposeScope();
        return (int)routing.Load(keptOnly: true).gt(0).sum().cpu().item<long>();
    }
}
