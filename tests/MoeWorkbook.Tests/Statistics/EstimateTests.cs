namespace MoeWorkbook.Tests.Statistics;

public sealed class EstimateTests
{
    [Theory]
    [InlineData(44.3217, 43.9, 44.9, "44.3")]
    [InlineData(1234.5, 900, 1500, "1,200")]
    [InlineData(0.012346, 0.01230, 0.01239, "0.01235")]
    [InlineData(12.5, 2, 30, "10")]
    [InlineData(30, 0, 2000, "30")]
    [InlineData(3.14159265, 3.14159265, 3.14159265, "3.142")]
    [InlineData(98765.4, 98765.4, 98765.4, "98,770")]
    [InlineData(0, 0, 0, "0")]
    public void No_more_digits_are_printed_than_the_interval_supports_but_always_one(double value, double low, double high, string printed) =>
        Assert.Equal(printed, new Estimate(value, low, high).ToString());

    [Fact]
    public void Another_unit_has_the_same_digits()
    {
        var seconds = new Estimate(0.0443217, 0.0439, 0.0449);
        Assert.Equal("44.3", seconds.Times(1000).ToString());
        Assert.Equal("43.9–44.9", seconds.Times(1000).Interval);
    }

    [Fact]
    public void The_mean_of_seeds_has_Students_interval()
    {
        // s = 1, n = 3, and the 97.5% quantile of t with two degrees of freedom is 4.302653.
        var mean = Estimate.Mean([1, 2, 3]);
        Assert.Equal(2, mean.Value, 12);
        Assert.Equal(2 - 4.302653 / Math.Sqrt(3), mean.Low, 4);
        Assert.Equal(2 + 4.302653 / Math.Sqrt(3), mean.High, 4);
        Assert.Contains("at least two", Assert.Throws<ArgumentException>(() => Estimate.Mean([1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_both_of_a_pair_share_drops_out_of_their_difference()
    {
        var difference = Estimate.MeanDifference([11, 22, 33], [10, 20, 30]);
        Assert.Equal(Estimate.Mean([1, 2, 3]), difference);
        Assert.Equal("0 to 4", difference.Interval); // from −0.48: no minus before a zero
        Assert.Contains("2 samples of one and 1 of the other", Assert.Throws<ArgumentException>(() => Estimate.MeanDifference([1, 2], [1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_inverse_turns_the_interval_round()
    {
        var rate = new Estimate(0.5, 0.25, 1).Inverse();
        Assert.Equal(new Estimate(2, 1, 4), rate);
        Assert.Throws<InvalidOperationException>(() => new Estimate(1, 0, 2).Inverse());
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 1, 5)] // all five: 1 − 2 / 2⁵ = 93.8% is the most that five can give
    [InlineData(6, 1, 6)] // 1 − 2 / 2⁶ = 96.9%
    [InlineData(9, 2, 8)] // 1 − 2 · (1 + 9) / 2⁹ = 96.1%
    [InlineData(15, 4, 12)] // 1 − 2 · (1 + 15 + 105 + 455) / 2¹⁵ = 96.5%
    public void The_interval_of_a_median_reaches_from_a_small_sample_to_a_large_one(int count, double low, double high) =>
        Assert.Equal(new Estimate((1 + count) / 2.0, low, high), Estimate.Median(Enumerable.Range(1, count).Reverse().Select(i => (double)i)));

    [Fact]
    public void Of_six_rounds_and_more_the_interval_covers_the_true_median_in_nineteen_of_twenty_experiments()
    {
        var random = new Random(1);
        foreach (var rounds in new[] { 6, 9, 15, 25 })
        {
            // Exponential times: skewed, as measured times are. Their median is ln 2.
            var covered = Covered(Math.Log(2), () => Estimate.Median(Enumerable.Range(0, rounds).Select(_ => -Math.Log(1 - random.NextDouble()))));
            Assert.InRange(covered, 0.945, 0.98);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(9)]
    public void The_interval_of_a_ratio_covers_the_true_one_in_nineteen_of_twenty_experiments_whatever_the_number_of_rounds(int rounds)
    {
        // Lognormal rounds: a factor of the machine that both share, and a smaller one of each.
        var random = new Random(rounds);
        Assert.InRange(Covered(3, () =>
        {
            double[] machine = [.. Enumerable.Range(0, rounds).Select(_ => Math.Exp(0.5 * Gaussian()))];
            return Estimate.MeanRatio([.. machine.Select(factor => 3 * Own(factor))], [.. machine.Select(Own)]);
        }), 0.93, 0.97);

        double Own(double factor) => factor * Math.Exp(0.1 * Gaussian());

        double Gaussian() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    [Fact]
    public void A_ratio_is_the_geometric_mean_with_students_interval_on_the_logarithm()
    {
        // ln of the ratios: ln 2 + (−1, 0, 1).
        var ratio = Estimate.MeanRatio([2 / Math.E, 20, 200 * Math.E], [1, 10, 100]);
        Assert.Equal(2, ratio.Value, 9);
        Assert.Equal(2 * Math.Exp(-4.302653 / Math.Sqrt(3)), ratio.Low, 4);
        Assert.Equal(2 * Math.Exp(4.302653 / Math.Sqrt(3)), ratio.High, 4);
        Assert.Equal(new Estimate(3, 0, double.PositiveInfinity), Estimate.MeanRatio([6], [2])); // one pair leaves it open
        Assert.Contains("not a positive", Assert.Throws<ArgumentException>(() => Estimate.MeanRatio([1, 0], [1, 1])).Message, StringComparison.Ordinal);
    }

    private static double Covered(double truth, Func<Estimate> experiment) =>
        Enumerable.Range(0, 4000).Count(_ => experiment() is var estimate && estimate.Low <= truth && truth <= estimate.High) / 4000.0;

    [Fact]
    public void Samples_must_be_there_and_finite()
    {
        Assert.Contains("no sample", Assert.Throws<ArgumentException>(() => Estimate.Median([])).Message, StringComparison.Ordinal);
        Assert.Contains("not a finite", Assert.Throws<ArgumentException>(() => Estimate.Median([1, double.NaN])).Message, StringComparison.Ordinal);
    }
}
