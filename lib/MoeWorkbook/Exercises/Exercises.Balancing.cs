namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 07: one step of the selection bias.</summary>
    public static Exercise<(double[] Biases, long[] Load, double Rate), double[]> BiasUpdate { get; } = new(
        "After a step each expert's selection bias moves by the rate u: up where its load is below the mean load, down where it is above, not at all where it is equal. What are the new biases?",
        ["biases", "load of each expert", "rate u"],
        random =>
        {
            var experts = random.Next(3, 6);
            return ([.. Enumerable.Range(0, experts).Select(_ => random.Next(-10, 11) / 100.0)],
                [.. Enumerable.Range(0, experts).Select(_ => (long)random.Next(0, 8))], Pick(random, 1, 2, 5) / 1000.0);
        },
        step => [.. step.Biases.Zip(step.Load, (bias, load) => bias + step.Rate * Math.Sign(step.Load.Average() - load))],
        // A load that is the mean, and one that only the mean without its fraction is.
        step => step.Load.Contains(step.Load.Sum() / step.Load.Length) && step.Load.Sum() % step.Load.Length == 0 && step.Load.Distinct().Count() > 1,
        step => step.Load.Contains(step.Load.Sum() / step.Load.Length) && step.Load.Sum() % step.Load.Length != 0);

    /// <summary>Chapter 07: choose with the bias, weigh without it.</summary>
    public static Exercise<(double[] Scores, double[] Biases, int ExpertsPerToken), (int[] Experts, double[] Weights)> BiasedChoice { get; } = new(
        "Choose the k experts with the largest score plus bias, the best first, and give their weights: the scores alone, divided by their sum over the chosen experts. No two sums are equal.",
        ["scores", "biases", "experts per token k"],
        random =>
        {
            var experts = random.Next(4, 7);
            // Sums that differ in their last digit, whatever the scores.
            double[] scores = [.. Enumerable.Range(0, experts).Select(_ => random.Next(5, 95) / 100.0)];
            double[] biases = [.. scores.Select((_, e) => random.Next(-30, 31) / 100.0 + e / 1000.0)];
            return (scores, biases, random.Next(1, 4));
        },
        token =>
        {
            int[] experts = [.. Enumerable.Range(0, token.Scores.Length).OrderByDescending(e => token.Scores[e] + token.Biases[e]).Take(token.ExpertsPerToken)];
            var sum = experts.Sum(e => token.Scores[e]);
            return (experts, [.. experts.Select(e => token.Scores[e] / sum)]);
        },
        token => Enumerable.Range(0, token.Scores.Length).OrderByDescending(e => token.Scores[e] + token.Biases[e]).Take(token.ExpertsPerToken)
            .ToArray() is { Length: > 1 } experts
            && !Ascending(experts) && !experts.SequenceEqual(Largest(token.Scores, token.ExpertsPerToken)));

    /// <summary>Chapter 07: the z-loss.</summary>
    public static Exercise<double[][], double> RouterZLoss { get; } = new(
        "What is the router z-loss of these tokens: the mean over tokens of the square of ln Σ exp(logit)?",
        ["logits of each token"],
        random =>
        {
            var experts = random.Next(2, 5);
            return [.. Enumerable.Range(0,
                random.Next(1, 4)).Select(_ => (double[])[.. Enumerable.Range(0, experts).Select(_ => random.Next(-30, 31) / 10.0)])];
        },
        logits => logits.Average(token => Math.Pow(Math.Log(token.Sum(Math.Exp)), 2)),
        logits => logits.Length > 1 && Apart(logits.Max(token => token.Sum(Math.Exp)), logits.Min(token => token.Sum(Math.Exp))));

    /// <summary>Chapter 07: where the auxiliary loss pushes.</summary>
    public static Exercise<(int[] Chosen, int Experts), double[]> BalancingGradient { get; } = new(
        "What is the derivative of the auxiliary loss E·Σ f·P with respect to each expert's mean probability P, given the expert that each token chose?",
        ["expert of each token", "experts E"],
        random =>
        {
            var experts = Pick(random, 2, 4, 8);
            return ([.. Enumerable.Range(0, random.Next(4, 9)).Select(_ => random.Next(experts))], experts);
        },
        batch => [.. Enumerable.Range(0, batch.Experts).Select(e => (double)batch.Experts * batch.Chosen.Count(chosen => chosen == e) / batch.Chosen.Length)],
        batch => batch.Chosen.Any(expert => batch.Experts * batch.Chosen.Count(chosen => chosen == expert) % batch.Chosen.Length != 0));
}
