using MathNet.Numerics.Statistics;

namespace MoeWorkbook;

/// <summary>How much the expert of a token tells about the domain of its text.</summary>
/// <remarks>
/// Experts may sort tokens by what they are rather than by what they are about: a digit gives arithmetic away by itself. So what counts is
/// <see cref="GivenByte"/>, the information that is left when the byte is known.
/// </remarks>
/// <param name="Plain">I(domain; expert) / H(domain): the share of the uncertainty about the domain that the expert removes. From 0 to 1.</param>
/// <param name="GivenByte">I(domain; expert | byte) / H(domain | byte): the same for who knows the byte already.</param>
/// <param name="Shuffled"><see cref="GivenByte"/> after the domains were permuted among the tokens of each byte: what chance alone gives.</param>
/// <param name="Nats">I(domain; expert | byte), in nats a token.</param>
public sealed record Specialization(Estimate Plain, Estimate GivenByte, Estimate Shuffled, Estimate Nats)
{
    /// <summary>Measures one layer. The intervals come from the bootstrap over segments, because the tokens of one segment are not independent; that of
    /// <see cref="Shuffled"/> from the permutations.</summary>
    /// <param name="domains">The domain of each token, numbers from 0.</param>
    /// <param name="experts">Its expert.</param>
    /// <param name="bytes">Its byte.</param>
    /// <param name="segments">Its segment, a stretch of text of one domain.</param>
    /// <param name="resamples">How often segments are drawn, and domains permuted.</param>
    /// <param name="seed">Fixes the draws.</param>
    /// <exception cref="ArgumentException">There is no token, there are not as many labels of each kind, a label is negative, or the byte always tells the
    /// domain.</exception>
    public static Specialization Of(
        IReadOnlyList<int> domains, IReadOnlyList<int> experts, IReadOnlyList<int> bytes, IReadOnlyList<int> segments, int resamples = 200, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(domains);
        ArgumentNullException.ThrowIfNull(segments);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 2);
        if (segments.Count != domains.Count) throw new ArgumentException($"segments has {segments.Count} labels for {domains.Count} tokens.", nameof(segments));
        var nothing = new int[domains.Count];
        var (plain, whole) = MutualInformation.Of(domains, experts, nothing, null);
        var (information, uncertain) = MutualInformation.Of(domains, experts, bytes, null);
        if (uncertain <= 0) throw new ArgumentException("Every byte belongs to one domain only, so nothing is left for the expert to tell.", nameof(bytes));

        var random = new Random(seed);
        var numbered = Renumbered(segments);
        var count = numbered.Max() + 1;
        var weights = new int[domains.Count];
        var drawn = new (double Plain, double GivenByte, double Nats)[resamples];
        for (var i = 0; i < resamples; i++)
        {
            var times = new int[count];
            for (var j = 0; j < count; j++) times[random.Next(count)]++;
            for (var token = 0; token < weights.Length; token++) weights[token] = times[numbered[token]];
            var (plainAgain, wholeAgain) = MutualInformation.Of(domains, experts, nothing, weights);
            var (again, uncertainAgain) = MutualInformation.Of(domains, experts, bytes, weights);
            drawn[i] = (plainAgain / wholeAgain, again / uncertainAgain, again);
        }

        double[] chance = [.. Enumerable.Range(0,
            resamples).Select(_ => MutualInformation.Of(Permuted(domains, bytes, random), experts, bytes, null).Information / uncertain)];
        return new(
            Around(plain / whole, drawn.Select(one => one.Plain)), Around(information / uncertain, drawn.Select(one => one.GivenByte)),
            new(chance.Mean(), chance.Quantile(0.025), chance.Quantile(0.975)), Around(information, drawn.Select(one => one.Nats)));
    }

    /// <summary>The estimate with the spread of its replicates. A segment that is drawn twice looks like order, so the replicates lie too high: only their
    /// spread is taken, and not their place.</summary>
    private static Estimate Around(double value, IEnumerable<double> replicates)
    {
        double[] all = [.. replicates];
        var middle = all.Mean();
        return new(value, value + all.Quantile(0.025) - middle, value + all.Quantile(0.975) - middle);
    }

    private static int[] Permuted(IReadOnlyList<int> labels, IReadOnlyList<int> within, Random random)
    {
        var permuted = new int[labels.Count];
        foreach (var group in Enumerable.Range(0, labels.Count).GroupBy(i => within[i]))
        {
            int[] places = [.. group], values = [.. places.Select(i => labels[i])];
            random.Shuffle(values);
            for (var i = 0; i < places.Length; i++) permuted[places[i]] = values[i];
        }

        return permuted;
    }

    private static int[] Renumbered(IReadOnlyList<int> labels)
    {
        var numbers = new Dictionary<int, int>();
        return [.. labels.Select(label => numbers.TryGetValue(label, out var number) ? number : numbers[label] = numbers.Count)];
    }
}
