using System.Globalization;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;

namespace MoeWorkbook;

/// <summary>A measured number with the interval that it is known to lie in. It prints no more digits than the interval supports.</summary>
/// <remarks>The last digit printed stands in the place of the first digit of the uncertainty, as in 44.3 for an interval from 43.9 to 45.1; and there are never
/// more than four digits that count, nor none.</remarks>
/// <param name="Value">The estimate.</param>
/// <param name="Low">The lower end of its confidence interval, of 95% where nothing else is said.</param>
/// <param name="High">The upper end.</param>
public readonly record struct Estimate(double Value, double Low, double High)
{
    private const int MostDigits = 4;

    /// <summary>The median of samples, with an interval that supposes nothing of their distribution: from the r-th smallest to the r-th largest sample, r as
    /// large as leaves at least 95% (the sign test's interval; Thompson 1936, doi:10.1214/aoms/1177732502).</summary>
    /// <param name="samples">Independent samples, at least one. Of fewer than six no interval is known to hold the median with 95%: then it is their
    /// range.</param>
    /// <exception cref="ArgumentException">There is no sample, or one is not finite.</exception>
    public static Estimate Median(IEnumerable<double> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        double[] known = [.. samples.Order()];
        if (known.Length == 0) throw new ArgumentException("There is no sample.", nameof(samples));
        if (!known.All(double.IsFinite)) throw new ArgumentException("A sample is not a finite number.", nameof(samples));
        var beyond = 0; // so many samples lie outside at each end
        while (Binomial.CDF(0.5, known.Length, beyond + 1) <= 0.025) beyond++;
        return new(known.Median(), known[beyond], known[^(beyond + 1)]);
    }

    /// <summary>The mean of samples, with its interval from Student's t distribution.</summary>
    /// <param name="samples">Independent samples, such as one for each seed; at least two, or the interval would be infinite.</param>
    /// <param name="level">How often such intervals hold the true mean; for n intervals that hold together with 95%, 1 − 0.05/n (Bonferroni).</param>
    /// <exception cref="ArgumentException">There are fewer than two samples, or one is not finite, or the level is not between 0 and 1.</exception>
    public static Estimate Mean(IEnumerable<double> samples, double level = 0.95)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (!(level > 0 && level < 1)) throw new ArgumentException($"level is {level}; it must lie between 0 and 1.", nameof(level));
        double[] known = [.. samples];
        if (known.Length < 2) throw new ArgumentException($"There is {known.Length} sample; a mean with an interval needs at least two.", nameof(samples));
        if (!known.All(double.IsFinite)) throw new ArgumentException("A sample is not a finite number.", nameof(samples));
        double mean = known.Mean(), half = StudentT.InvCDF(0, 1, known.Length - 1, (1 + level) / 2) * known.StandardDeviation() / Math.Sqrt(known.Length);
        return new(mean, mean - half, mean + half);
    }

    /// <summary>The mean of the differences one − other of pairs, with its interval (paired t). What a pair shares, such as a seed, drops out.</summary>
    /// <param name="one">One sample of each pair, at least two.</param>
    /// <param name="other">The other, in the same order.</param>
    /// <param name="level">How often such intervals hold the true mean, as in <see cref="Mean"/>.</param>
    /// <exception cref="ArgumentException">There are fewer than two pairs, one list is longer, or a sample is not finite.</exception>
    public static Estimate MeanDifference(IReadOnlyList<double> one, IReadOnlyList<double> other, double level = 0.95)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        if (one.Count != other.Count) throw new ArgumentException($"There are {one.Count} samples of one and {other.Count} of the other; they are compared in pairs.", nameof(other));
        return Mean(one.Zip(other, (a, b) => a - b), level);
    }

    /// <summary>The geometric mean of the ratios one / other of pairs, with its 95% interval: paired t on their logarithms. What a pair shares as a factor,
    /// such as the speed of the machine in a round, drops out.</summary>
    /// <param name="one">One sample of each pair, positive. A single pair leaves the ratio open: its interval is from 0 to infinity.</param>
    /// <param name="other">The other, in the same order.</param>
    /// <exception cref="ArgumentException">There is no pair, one list is longer, or a sample is not positive and finite.</exception>
    public static Estimate MeanRatio(IReadOnlyList<double> one, IReadOnlyList<double> other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        if (!one.Concat(other).All(sample => sample > 0 && double.IsFinite(sample)))
            throw new ArgumentException("A sample is not a positive finite number: a ratio has no logarithm there.", nameof(one));
        if (one.Count == 1 && other.Count == 1) return new(one[0] / other[0], 0, double.PositiveInfinity);
        var log = MeanDifference([.. one.Select(sample => Math.Log(sample))], [.. other.Select(sample => Math.Log(sample))]);
        return new(Math.Exp(log.Value), Math.Exp(log.Low), Math.Exp(log.High));
    }

    /// <summary>The same quantity in another unit.</summary>
    /// <param name="factor">What every number is multiplied by, such as 1000 from seconds to milliseconds; positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The factor is not positive.</exception>
    public Estimate Times(double factor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(factor);
        return new(Value * factor, Low * factor, High * factor);
    }

    /// <summary>One divided by the quantity: a rate from a time. The ends of the interval change places.</summary>
    /// <exception cref="InvalidOperationException">The interval is not positive.</exception>
    public Estimate Inverse() => Low > 0 ? new(1 / Value, 1 / High, 1 / Low) : throw new InvalidOperationException("An interval that reaches zero has no inverse.");

    /// <summary>The ends of the interval, as in 43.9–45.1, or −0.3 to 0.2 where one is negative.</summary>
    public string Interval => Low < 0 ? $"{Text(Low)} to {Text(High)}" : $"{Text(Low)}–{Text(High)}";

    /// <summary>The estimate with the digits that its interval supports.</summary>
    public override string ToString() => Text(Value);

    private string Text(double number)
    {
        var place = Place();
        // Round first where digits before the point are not known either: 1,234 ± 300 is 1,200.
        var unit = Math.Pow(10, place);
        return place > 0
            ? (Math.Round(number / unit) * unit).ToString("#,0", CultureInfo.InvariantCulture)
            : (Math.Round(number, Math.Min(15, -place)) + 0.0)
                .ToString("N" + Math.Min(15, -place).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture); // + 0.0: no minus before a zero
    }

    /// <summary>The power of ten of the last digit that is known.</summary>
    private int Place()
    {
        var uncertainty = Math.Max(High - Value, Value - Low);
        var finest = Value == 0 ? 0 : (int)Math.Floor(Math.Log10(Math.Abs(Value))) - (MostDigits - 1);
        if (!(uncertainty > 0)) return finest;
        // A rounding error must not move 0.1 to the place of hundredths; and one digit always stands.
        var known = Math.Max(finest, (int)Math.Floor(Math.Log10(uncertainty) + 1e-9));
        return Value == 0 ? known : Math.Min(known, finest + MostDigits - 1);
    }
}
