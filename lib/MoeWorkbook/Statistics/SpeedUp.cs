using System.Globalization;
using MathNet.Numerics.Statistics;

namespace MoeWorkbook;

/// <summary>How many times less of something (steps, operations, seconds) one model needs to reach the loss at which another ended.</summary>
/// <param name="Target">The loss to reach: the reference's at the end of its training, the mean over seeds, in nats a token.</param>
/// <param name="Ratio">What the reference needs divided by what the candidate needs, with its 95% bootstrap interval over seeds; 0 where the candidate never
/// gets there.</param>
public sealed record SpeedUp(double Target, Estimate Ratio)
{
    private const int Resamples = 1000;

    /// <summary>Whether the candidate reaches the loss within its own training.</summary>
    public bool Reached => Ratio.Value > 0;

    /// <summary>Compares curves of validation loss. Seeds are drawn with replacement, for both models alike; the mean curves of the drawn seeds are compared,
    /// with straight lines between their points.</summary>
    /// <param name="reference">The reference's curve for each seed: what was spent (rising), and the validation loss.</param>
    /// <param name="candidate">The candidate's, of the same seeds in the same order.</param>
    /// <param name="seed">Fixes the draws.</param>
    /// <remarks>With a learning rate that falls towards the end, the candidate has not had its own last gains when it meets the target: the ratio is a cautious
    /// one.</remarks>
    /// <exception cref="ArgumentException">There is no seed, the models differ in their number, or the curves of one model differ in length.</exception>
    public static SpeedUp ToEqualLoss(IReadOnlyList<IReadOnlyList<(double Spent, double Loss)>> reference,
        IReadOnlyList<IReadOnlyList<(double Spent, double Loss)>> candidate, int seed = 0)
    {
        Check(reference, nameof(reference));
        Check(candidate, nameof(candidate));
        if (reference.Count != candidate.Count)
            throw new ArgumentException($"The reference has {reference.Count} seeds and the candidate {candidate.Count}; the same seeds are compared.", nameof(candidate));

        var random = new Random(seed);
        int[] all = [.. Enumerable.Range(0, reference.Count)];
        double[] ratios = [.. Enumerable.Range(0, Resamples).Select(_ => Ratio([.. all.Select(_ => random.Next(all.Length))]))];
        return new(Mean(reference, all)[^1].Loss, new(Ratio(all), ratios.Quantile(0.025), ratios.Quantile(0.975)));

        double Ratio(int[] seeds)
        {
            var known = Mean(reference, seeds);
            var target = known[^1].Loss;
            return FirstAt(known, target)!.Value / FirstAt(Mean(candidate, seeds), target) ?? 0;
        }
    }

    /// <summary>The ratio with its interval, or that the loss is never reached.</summary>
    public override string ToString() => Reached
        ? $"{Ratio} times less to a loss of {Target.ToString("F3", CultureInfo.InvariantCulture)} (95% interval {Ratio.Interval})"
        : $"a loss of {Target.ToString("F3", CultureInfo.InvariantCulture)} is never reached";

    private static (double Spent, double Loss)[] Mean(IReadOnlyList<IReadOnlyList<(double Spent, double Loss)>> curves, int[] seeds) =>
        [.. Enumerable.Range(0, curves[0].Count).Select(i => (seeds.Average(seed => curves[seed][i].Spent), seeds.Average(seed => curves[seed][i].Loss)))];

    /// <summary>What was spent when the loss was first at or below the target; null where it never was.</summary>
    private static double? FirstAt((double Spent, double Loss)[] curve, double target)
    {
        var i = Array.FindIndex(curve, point => point.Loss <= target);
        if (i <= 0) return i < 0 ? null : curve[0].Spent;
        var (before, after) = (curve[i - 1], curve[i]);
        return before.Spent + (after.Spent - before.Spent) * (before.Loss - target) / (before.Loss - after.Loss);
    }

    private static void Check(IReadOnlyList<IReadOnlyList<(double Spent, double Loss)>> curves, string name)
    {
        ArgumentNullException.ThrowIfNull(curves, name);
        if (curves.Count == 0 || curves[0].Count == 0) throw new ArgumentException("There is no seed, or no point in its curve.", name);
        if (curves.FirstOrDefault(curve => curve.Count != curves[0].Count) is { } other)
            throw new ArgumentException($"The curves have {curves[0].Count} and {other.Count} points; the seeds of one model must be measured at the same steps.", name);
    }
}
