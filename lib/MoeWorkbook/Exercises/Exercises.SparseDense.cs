using MathNet.Numerics;
using MathNet.Numerics.Statistics;

namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 09: experts that cost a token as much as a dense block.</summary>
    public static Exercise<(long Hidden, long FeedForward, long Experts, long ExpertsPerToken), (long IntermediateSize, long Total,
        long Active)> EqualActiveExperts
    { get; } = new(
        "A dense SwiGLU block of inner size f is replaced by E experts, k of which a token visits, so that a token meets as many weights as before. The inner size of one expert, and the weights of all experts of the layer in total and active (three matrices each, no biases, the router left out)?",
        ["hidden size d", "inner size f of the dense block", "experts E", "experts per token k"],
        random =>
        {
            var k = Pick(random, 1, 2, 4, 8);
            return (Pick(random, 48, 64, 256, 1024), k * Pick(random, 8, 16, 32, 128), k * Pick(random, 2, 4, 8, 16), k);
        },
        layer =>
        {
            var size = layer.FeedForward / layer.ExpertsPerToken;
            return (size, 3 * layer.Hidden * size * layer.Experts, 3 * layer.Hidden * layer.FeedForward);
        },
        layer => layer.ExpertsPerToken > 1);

    /// <summary>Chapter 09: when a curve meets a loss.</summary>
    public static Exercise<(double[] Steps, double[] Losses, double Target), double> StepsToLoss { get; } = new(
        "At which step is the loss first at or below the target, with straight lines between the points? The first step where the curve begins so, −1 where it never is.",
        ["steps", "losses", "target"],
        random =>
        {
            var points = random.Next(4, 8);
            double loss = 3;
            // Down more often than up, and never flat: there single precision would lose the place.
            double[] losses = [.. Enumerable.Range(0,
                points).Select(_ => loss = Math.Round(loss + (random.Next(3) == 0 ? random.Next(5, 20) : -random.Next(5, 40)) / 100.0, 2))];
            var target = random.Next(3) == 0 ? losses[random.Next(points)] : Math.Round(losses[0] + random.Next(-120, 20) / 100.0, 2);
            return ([.. Enumerable.Range(1, points).Select(i => 100.0 * i)], losses, target);
        },
        curve =>
        {
            var i = Array.FindIndex(curve.Losses, loss => loss <= curve.Target);
            if (i < 0) return -1;
            if (i == 0) return curve.Steps[0];
            var share = (curve.Losses[i - 1] - curve.Target) / (curve.Losses[i - 1] - curve.Losses[i]);
            return curve.Steps[i - 1] + share * (curve.Steps[i] - curve.Steps[i - 1]);
        },
        curve => curve.Losses[0] < curve.Target,
        curve => curve.Losses.Min() > curve.Target,
        // It touches the target, not at the first point, and turns up again.
        curve => Array.FindIndex(curve.Losses, loss => loss <= curve.Target) is > 0 and var i && i + 1 < curve.Losses.Length && curve.Losses[i] == curve.Target
            && curve.Losses[i + 1] > curve.Target,
        // It crosses the target between points, and later once more.
        curve => Array.FindIndex(curve.Losses, loss => loss <= curve.Target) is > 0 and var i && curve.Losses[i] < curve.Target
            && Array.FindIndex(curve.Losses, i, loss => loss > curve.Target) is > 0 and var up
                && Array.FindIndex(curve.Losses, up, loss => loss < curve.Target) > 0);

    /// <summary>Chapter 09: from steps to seconds.</summary>
    public static Exercise<(double DenseSteps, double SparseSteps, double DenseTokensPerSecond,
        double SparseTokensPerSecond), double> WallClockSpeedUp
    { get; } = new(
        "Both models reach the same loss, each after its own number of steps of as many tokens. How many times faster by the clock is the sparse one? Below 1 it is slower.",
        ["steps of the dense model", "steps of the sparse model", "tokens a second of the dense model", "tokens a second of the sparse model"],
        random => (100 * random.Next(10, 40), 100 * random.Next(3, 20), 1000 * random.Next(20, 90), 1000 * random.Next(10, 60)),
        both => both.DenseSteps / both.DenseTokensPerSecond / (both.SparseSteps / both.SparseTokensPerSecond));

    /// <summary>Chapter 09: why fine grains help.</summary>
    public static Exercise<(int Experts, int ExpertsPerToken, int Split), (double Before, double After)> ExpertCombinations { get; } = new(
        "In how many ways can a token combine k of E experts? And after every expert is split into m smaller ones, with m times as many chosen? The factorials of such numbers overflow every integer type.",
        ["experts E", "experts per token k", "split m"],
        random => (Pick(random, 8, 16), Pick(random, 1, 2), Pick(random, 2, 4)),
        layer =>
            (Combinatorics.Combinations(layer.Experts, layer.ExpertsPerToken),
                Combinatorics.Combinations(layer.Experts * layer.Split, layer.ExpertsPerToken * layer.Split)));

    /// <summary>Chapter 09: a difference between models and its standard error.</summary>
    public static Exercise<(double[] One, double[] Other), (double Mean, double StandardError)> PairedDifference { get; } = new(
        "Two models were trained with the same seeds. The mean of the differences one − other of their losses, and its standard error s / √n with s the standard deviation (n − 1) of the differences.",
        ["losses of one", "losses of the other"],
        random =>
        {
            var seeds = random.Next(3, 6);
            return (Losses(seeds), Losses(seeds));

            double[] Losses(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(900, 1500) / 1000.0)];
        },
        losses =>
        {
            double[] differences = [.. losses.One.Zip(losses.Other, (one, other) => one - other)];
            return (differences.Mean(), differences.StandardDeviation() / Math.Sqrt(differences.Length));
        });
}
