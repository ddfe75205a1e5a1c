using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 03: one token's experts and combine weights from its router logits, as Mixtral routes.</summary>
    public static Exercise<(double[] Logits, int ExpertsPerToken), (int[] Experts, double[] Weights)> TopKRouting { get; } = new(
        "Route one token as Mixtral does: from its router logits, the numbers of its k experts (largest logit first) and their renormalised weights.",
        ["logits", "k"],
        random => (DistinctLogits(random, Pick(random, 4, 8)), Pick(random, 1, 2, 3)),
        token =>
        {
            var experts = Largest(token.Logits, token.ExpertsPerToken);
            var sum = experts.Sum(expert => Math.Exp(token.Logits[expert]));
            return (experts, [.. experts.Select(expert => Math.Exp(token.Logits[expert]) / sum)]);
        },
        token => !Ascending(Largest(token.Logits, token.ExpertsPerToken)));

    /// <summary>Chapter 03: the renormalised weights of a batch as a matrix of tokens × experts.</summary>
    public static Exercise<(Tensor Logits, int ExpertsPerToken), Tensor> CombineWeightMatrix { get; } = new(
        "Route a batch as Mixtral does: from router logits, a tensor [tokens, experts], the combine weights as a tensor [tokens, experts], "
            + "zero where a token does not visit an expert.",
        ["logits", "k"],
        random => (LogitTable(random, random.Next(2, 4), random.Next(3, 5)), Pick(random, 1, 2)),
        batch =>
        {
            var (chosen, experts) = batch.Logits.topk(batch.ExpertsPerToken);
            return zeros_like(batch.Logits).scatter(-1, experts, chosen.softmax(-1));
        },
        batch => batch.ExpertsPerToken > 1);

    /// <summary>Chapter 03b: the gradient that reaches router logits through the weights of the chosen experts.</summary>
    public static Exercise<(Tensor Logits, int ExpertsPerToken, Tensor Usefulness), Tensor> TopKGradient { get; } = new(
        "A router takes the k largest logits of each token and weights them by a softmax over the chosen. The loss is the sum of each weight "
            + "times the u of its token and expert. From logits and u, tensors [tokens, experts]: the gradient of the loss with respect to the "
            + "logits, [tokens, experts]. By hand or by autograd.",
        ["logits", "k", "u"],
        random =>
        {
            int tokens = random.Next(1, 4), experts = random.Next(3, 5);
            return (LogitTable(random, tokens, experts), Pick(random, 1, 2), Matrix(random, tokens, experts));
        },
        batch =>
        {
            var (chosen, experts) = batch.Logits.topk(batch.ExpertsPerToken);
            var (weights, useful) = (chosen.softmax(-1), batch.Usefulness.gather(-1, experts));
            return zeros_like(batch.Logits).scatter(-1, experts, weights * (useful - (weights * useful).sum(-1, keepdim: true)));
        },
        batch => batch.ExpertsPerToken > 1);

    /// <summary>Chapter 03b: what one token's logits get of the Switch loss's gradient.</summary>
    public static Exercise<(double[] Probabilities, double[] Shares, int Tokens), double[]> SwitchLossGradient { get; } = new(
        "The gradient of the Switch balancing loss E·Σ fᵢ·Pᵢ with respect to the logits of one of T tokens, from the token's probabilities p "
            + "and the shares f of the assignments. The shares are counts, and have no gradient.",
        ["p", "f", "T"],
        random =>
        {
            var table = ProbabilityTable(random, 2, Pick(random, 2, 3, 4));
            return (table[0], table[1], Pick(random, 2, 4, 5));
        },
        token =>
        {
            var mean = token.Probabilities.Zip(token.Shares, (p, f) => p * f).Sum();
            return [.. token.Probabilities.Zip(token.Shares, (p, f) => (double)token.Shares.Length / token.Tokens * p * (f - mean))];
        });

    /// <summary>Chapter 03b: the Switch balancing loss of a top-1 router (Fedus et al. 2021, eq. 4).</summary>
    public static Exercise<(int[] Experts, double[][] Probabilities), double> SwitchLoss { get; } = new(
        "The Switch balancing loss E·Σ fᵢ·Pᵢ from the expert of each token and the router's probabilities of each token.",
        ["the expert of each token", "the probabilities of each token"],
        random =>
        {
            var probabilities = ProbabilityTable(random, random.Next(3, 6), Pick(random, 2, 3, 4));
            return ([.. probabilities.Select(row => Largest(row, 1)[0])], probabilities);
        },
        batch =>
        {
            int tokens = batch.Experts.Length, experts = batch.Probabilities[0].Length;
            return experts * Enumerable.Range(0, experts).Sum(i =>
                (double)batch.Experts.Count(expert => expert == i) / tokens * batch.Probabilities.Average(row => row[i]));
        });

    /// <summary>Chapter 03: how far the busiest expert is above the mean (Wang et al. 2024).</summary>
    public static Exercise<(int[] Experts, int ExpertCount), double> MaxViolation { get; } = new(
        "MaxVio = (largest load − mean load) / mean load, from the expert of each assignment and the number of experts. Mind the experts that have none.",
        ["the expert of each assignment", "number of experts"],
        random =>
        {
            var experts = Pick(random, 4, 8);
            return ([.. Enumerable.Range(0, random.Next(6, 17)).Select(_ => Math.Min(random.Next(experts), random.Next(experts)))], experts);
        },
        batch =>
        {
            var load = new long[batch.ExpertCount];
            foreach (var expert in batch.Experts) load[expert]++;
            return LoadStatistics.Of(load).MaxViolation;
        },
        // An expert without an assignment, which deviates from the mean by more than the busiest one does.
        batch => batch.Experts.Distinct().Count() < batch.ExpertCount
            && batch.Experts.CountBy(expert => expert).Max(load => load.Value) * batch.ExpertCount < 2 * batch.Experts.Length);

    /// <summary>Chapter 03b: how sure each expert's place among the k best is when its own noise is drawn again (Shazeer et al. 2017, appendix A).</summary>
    public static Exercise<(double[] Logits, double[] NoisyLogits, double[] Deviations, int ExpertsPerToken), double[]> NoisyLoad { get; } = new(
        "The smooth load of noisy top-k needs P = Φ(a): the probability that an expert is among the k best if only its own noise is drawn again. Give each expert's a = (its logit without noise − the k-th largest noisy logit of the others) / its noise's standard deviation.",
        ["logits", "noisy logits", "standard deviations", "k"],
        random =>
        {
            var logits = DistinctLogits(random, Pick(random, 4, 6));
            double[] deviations = [.. logits.Select(_ => Math.Round(0.3 + random.NextDouble(), 2))];
            double[] noisy = [.. logits.Zip(deviations,
                (logit, deviation) => Math.Round(logit + deviation * MathNet.Numerics.Distributions.Normal.Sample(random, 0, 1), 2))];
            return (logits, noisy, deviations, Pick(random, 1, 2, 3));
        },
        token => [.. token.Logits.Select((logit, expert) =>
        {
            var toBeat = token.NoisyLogits.Where((_, other) => other != expert).OrderDescending().ElementAt(token.ExpertsPerToken - 1);
            return (logit - toBeat) / token.Deviations[expert];
        })]);

    /// <summary>Chapter 03: expert choice by hand (Zhou et al. 2022).</summary>
    public static Exercise<(double[][] Probabilities, int TokensPerExpert), int[][]> ExpertChoice { get; } = new(
        "Let the experts choose: for each expert the numbers of the tokens that it takes, those of largest probability, best first.",
        ["the probabilities of each token", "tokens per expert"],
        random =>
        {
            var tokens = random.Next(4, 7);
            return (ProbabilityTable(random, tokens, Pick(random, 2, 3, 4)), random.Next(1, tokens));
        },
        batch => [.. Enumerable.Range(0, batch.Probabilities[0].Length).Select(expert =>
            Largest([.. batch.Probabilities.Select(row => row[expert])], batch.TokensPerExpert))],
        batch => Enumerable.Range(0, batch.Probabilities[0].Length)
            .Any(expert => !Ascending(Largest([.. batch.Probabilities.Select(row => row[expert])], batch.TokensPerExpert))));

    /// <summary>Chapter 03: the hash of <see cref="HashRouter"/> with seed 0, the finaliser of SplitMix64 (Steele et al. 2014).</summary>
    public static Exercise<(long[] TokenIds, int ExpertCount), int[]> HashRouting { get; } = new(
        "The hash router of this chapter, in unsigned 64-bit arithmetic that overflows without notice. From a token id t: z = (t + 1)·0x9E3779B97F4A7C15; then z = (z ^ (z >> 30))·0xBF58476D1CE4E5B9; then z = (z ^ (z >> 27))·0x94D049BB133111EB; then z = z ^ (z >> 31). The token's expert is z mod E. Give the expert of each token.",
        ["token ids", "number of experts E"],
        random => ([.. Enumerable.Range(0, random.Next(3, 7)).Select(_ => (long)random.Next(50_000))], Pick(random, 4, 8, 60, 64)),
        batch =>
        {
            using var router = new HashRouter(1, batch.ExpertCount);
            return [.. batch.TokenIds.Select(router.ExpertOf)];
        });

    /// <summary>Chapter 14: as few experts as have the probability p together (Huang et al. 2024).</summary>
    public static Exercise<(double[][] Probabilities, double P), int[][]> TopPRouting { get; } = new(
        "Top-p routing: for each token the numbers of its experts, most probable first: as few as have at least the probability p together.",
        ["the probabilities of each token", "p"],
        random => (ProbabilityTable(random, random.Next(3, 6), Pick(random, 3, 4, 5)), 0.1 * Pick(random, 3, 5, 7) + 0.0005), // no sum of three decimals is p
        batch => [.. batch.Probabilities.Select(row => Most(row, batch.P))],
        batch => batch.Probabilities.Any(row => !Ascending(Most(row, batch.P))),
        batch => batch.Probabilities.Select(row => Most(row, batch.P).Length).Distinct().Count() > 1);

    /// <summary>Logits from −2 to 2 of two decimals, no two equal: an exercise must not hang on ties.</summary>
    private static double[] DistinctLogits(Random random, int count)
    {
        var logits = new HashSet<double>();
        while (logits.Count < count) logits.Add(random.Next(-200, 201) / 100.0);
        return [.. logits];
    }

    /// <summary>Distinct logits for each token, in single precision.</summary>
    private static Tensor LogitTable(Random random, int tokens, int experts) =>
        tensor([.. Enumerable.Range(0, tokens).SelectMany(_ => DistinctLogits(random, experts)).Select(z => (float)z)], [tokens, experts]);

    /// <summary>A softmax of random logits for each token, rounded to three decimals; within a column, too, no two are equal.</summary>
    private static double[][] ProbabilityTable(Random random, int tokens, int experts)
    {
        return Until<double[][]>(
            () => [.. Enumerable.Range(0, tokens).Select(_ => Softmax(DistinctLogits(random, experts)))],
            table => table.Concat(Enumerable.Range(0, experts).Select(expert => table.Select(row => row[expert])))
                .All(line => line.Distinct().Count() == line.Count()));

        static double[] Softmax(double[] logits)
        {
            var sum = logits.Sum(Math.Exp);
            double[] rounded = [.. logits.Select(z => Math.Round(Math.Exp(z) / sum, 3))];
            rounded[^1] = Math.Round(1 - rounded[..^1].Sum(), 3);
            return rounded;
        }
    }

    /// <summary>As few positions as sum to p, the largest values first.</summary>
    private static int[] Most(double[] values, double p)
    {
        var order = Largest(values, values.Length);
        return [.. order.TakeWhile((_, i) => order.Take(i).Sum(j => values[j]) < p)];
    }

    /// <summary>The positions of the k largest values, largest first.</summary>
    private static int[] Largest(double[] values, int k) => [.. Enumerable.Range(0, values.Length).OrderByDescending(i => values[i]).Take(k)];
}
