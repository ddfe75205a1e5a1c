namespace MoeWorkbook;

/// <summary>How much one label of a token tells about another, in nats, estimated from counts.</summary>
/// <remarks>
/// Every entropy −Σ p·ln p carries the correction of Miller (1955) and Madow, (m − 1) / 2N for m labels seen in N tokens: counts of
/// a finite sample look more ordered than their source. So an estimate of nothing lies around zero and may be below it.
/// Labels are numbers from 0.
/// </remarks>
public static class MutualInformation
{
    /// <summary>The entropy H(x) of a label, in nats.</summary>
    /// <param name="x">The label of each token.</param>
    /// <exception cref="ArgumentException">There is no token, or a label is negative.</exception>
    public static double Entropy(IReadOnlyList<int> x) => Entropy(x, Same(x));

    /// <summary>The conditional entropy H(x | z): what is left uncertain about x where z is known, in nats.</summary>
    /// <param name="x">The label of each token.</param>
    /// <param name="given">The known label z of each token.</param>
    /// <exception cref="ArgumentException">There is no token, there are not as many labels of each kind, or a label is negative.</exception>
    public static double Entropy(IReadOnlyList<int> x, IReadOnlyList<int> given) => Of(x, Same(x), given, null).Entropy;

    /// <summary>The mutual information I(x; y) = H(x) − H(x | y), in nats: 0 where neither tells about the other.</summary>
    /// <param name="x">One label of each token.</param>
    /// <param name="y">The other.</param>
    /// <exception cref="ArgumentException">There is no token, there are not as many labels of each kind, or a label is negative.</exception>
    public static double Between(IReadOnlyList<int> x, IReadOnlyList<int> y) => Between(x, y, Same(x));

    /// <summary>The conditional mutual information I(x; y | z) = H(x | z) − H(x | y, z), in nats: what y tells about x beyond what z tells.</summary>
    /// <param name="x">One label of each token.</param>
    /// <param name="y">The other.</param>
    /// <param name="given">The known label z of each token.</param>
    /// <exception cref="ArgumentException">There is no token, there are not as many labels of each kind, or a label is negative.</exception>
    public static double Between(IReadOnlyList<int> x, IReadOnlyList<int> y, IReadOnlyList<int> given) => Of(x, y, given, null).Information;

    /// <summary>I(x; y | z) and H(x | z) of tokens of which each counts as often as its weight says; once where there are no weights.</summary>
    internal static (double Information, double Entropy) Of(IReadOnlyList<int> x, IReadOnlyList<int> y, IReadOnlyList<int> given, IReadOnlyList<int>? weights)
    {
        int labelsX = Labels(x, nameof(x), x.Count), labelsY = Labels(y, nameof(y), x.Count), labelsZ = Labels(given, nameof(given), x.Count);
        var xyz = new long[checked(labelsX * labelsY * labelsZ)];
        var (xz, yz, z) = (new long[labelsX * labelsZ], new long[labelsY * labelsZ], new long[labelsZ]);
        for (var i = 0; i < x.Count; i++)
        {
            var weight = weights?[i] ?? 1;
            xyz[(x[i] * labelsY + y[i]) * labelsZ + given[i]] += weight;
            xz[x[i] * labelsZ + given[i]] += weight;
            yz[y[i] * labelsZ + given[i]] += weight;
            z[given[i]] += weight;
        }

        var knowingZ = EntropyOf(xz) - EntropyOf(z);
        return (knowingZ + EntropyOf(yz) - EntropyOf(xyz), knowingZ);
    }

    private static double EntropyOf(long[] counts)
    {
        long all = 0;
        var seen = 0;
        double sum = 0;
        foreach (var count in counts)
        {
            if (count == 0) continue;
            all += count;
            seen++;
            sum += count * Math.Log(count);
        }

        return Math.Log(all) - sum / all + (seen - 1) / (2.0 * all);
    }

    private static int Labels(IReadOnlyList<int> labels, string name, int tokens)
    {
        ArgumentNullException.ThrowIfNull(labels, name);
        if (tokens == 0) throw new ArgumentException("There is no token.", name);
        if (labels.Count != tokens) throw new ArgumentException($"{name} has {labels.Count} labels for {tokens} tokens.", name);
        if (labels.Min() < 0) throw new ArgumentException($"{name} has the label {labels.Min()}; labels are numbers from 0.", name);
        return labels.Max() + 1;
    }

    private static int[] Same(IReadOnlyList<int> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return new int[labels.Count];
    }
}
