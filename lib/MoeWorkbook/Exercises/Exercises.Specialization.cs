namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 08: the mutual information of a table of counts.</summary>
    public static Exercise<int[][], double> MutualInformation { get; } = new(
        "How much does the expert tell about the domain? The mutual information I = Σ p(d, e)·ln(p(d, e) / (p(d)·p(e))) in nats, from the number of tokens of each domain and expert. A cell without a token adds nothing.",
        ["counts of [domain][expert]"],
        random => Counts(random, Pick(random, 2, 3), Pick(random, 2, 4)),
        InformationOf,
        counts => InformationOf(counts) > 0.01 && counts.Any(row => row.Contains(0)));

    /// <summary>Chapter 08: what the expert tells beyond the byte.</summary>
    public static Exercise<int[][][], double> ConditionalInformation { get; } = new(
        "The same for who knows the byte: I(domain; expert | byte) is the mutual information among the tokens of each byte, weighted by the byte's share of the tokens.",
        ["counts of [byte][domain][expert]"],
        random => [.. Enumerable.Range(0, random.Next(2, 4)).Select(_ => Counts(random, 2, Pick(random, 2, 3)))],
        bytes =>
        {
            double all = bytes.Sum(Tokens);
            return bytes.Sum(counts => Tokens(counts) / all * InformationOf(counts));
        },
        bytes => InformationOf(bytes[0]) > 0.01 && bytes.Any(counts => counts.Any(row => row.Contains(0))),
        // The mean without weights is another number.
        bytes => bytes.Skip(1).All(counts => Apart(Tokens(counts), Tokens(bytes[0])) && Apart(InformationOf(counts), InformationOf(bytes[0]))));

    /// <summary>Chapter 08: the entropy of a sample, corrected (Miller 1955).</summary>
    public static Exercise<int[], double> CorrectedEntropy { get; } = new(
        "The entropy −Σ p·ln p of a label in nats, from the number of tokens of each label, with the correction of Miller and Madow: add (m − 1) / 2N, where m labels have tokens and N is the number of tokens.",
        ["tokens of each label"],
        random => [.. Enumerable.Range(0, random.Next(3, 7)).Select(_ => Math.Max(0, random.Next(-3, 30))), random.Next(1, 30)],
        counts =>
        {
            double all = counts.Sum();
            return counts.Where(count => count > 0).Sum(count => -count / all * Math.Log(count / all)) + (counts.Count(count => count > 0) - 1) / (2 * all);
        },
        counts => counts.Contains(0) && counts.Count(count => count > 0) > 1);

    /// <summary>Chapter 08: where a token goes when its expert is gone.</summary>
    public static Exercise<(double[] Logits, int ExpertsPerToken, int Removed), (int[] Experts, double[] Weights)> RouteWithout { get; } = new(
        "One expert is taken away. Route a token as Mixtral does among those that are left: the numbers of its k experts (largest logit first) and their renormalised weights.",
        ["logits", "k", "the expert that is gone"],
        random =>
        {
            var logits = DistinctLogits(random, Pick(random, 4, 6));
            return (logits, Pick(random, 1, 2, 3), random.Next(logits.Length));
        },
        token =>
        {
            double[] left = [.. token.Logits.Select((logit, expert) => expert == token.Removed ? double.NegativeInfinity : logit)];
            var experts = Largest(left, token.ExpertsPerToken);
            var sum = experts.Sum(expert => Math.Exp(left[expert]));
            return (experts, [.. experts.Select(expert => Math.Exp(left[expert]) / sum)]);
        },
        // It would have been chosen, and numbering the experts that are left anew gives other numbers.
        token => Largest(token.Logits, token.ExpertsPerToken).Contains(token.Removed) && Largest(token.Logits, token.ExpertsPerToken + 1) is var first
            && first.Length < token.Logits.Length && first.Any(expert => expert > token.Removed) && !Ascending(first.Where(expert => expert != token.Removed)));

    /// <summary>Chapter 08: how much of the rows a plane shows.</summary>
    public static Exercise<double[], double> ExplainedByPlane { get; } = new(
        "From the singular values of the centred router, largest first: the share of the rows' variance that a picture of the first two axes shows.",
        ["singular values"],
        random => [.. Enumerable.Range(0, random.Next(3, 8)).Select(_ => random.Next(1, 100) / 10.0).OrderDescending()],
        values => values.Take(2).Sum(value => value * value) / values.Sum(value => value * value));

    private static int[][] Counts(Random random, int rows, int columns)
    {
        return Until<int[][]>(
            () => [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, columns).Select(_ => Math.Max(0, random.Next(-4, 20))).ToArray())],
            counts => Tokens(counts) > 0);
    }

    private static int Tokens(int[][] counts) => counts.Sum(row => row.Sum());

    private static double InformationOf(int[][] counts)
    {
        double all = Tokens(counts), information = 0;
        for (var row = 0; row < counts.Length; row++)
        {
            for (var column = 0; column < counts[row].Length; column++)
            {
                if (counts[row][column] == 0) continue;
                var joint = counts[row][column] / all;
                information += joint * Math.Log(joint / (counts[row].Sum() / all * (counts.Sum(other => other[column]) / all)));
            }
        }

        return information;
    }
}
