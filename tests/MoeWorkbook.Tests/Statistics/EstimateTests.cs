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

    [Fact]
    public void The_median_of_samples_lies_in_its_interval_and_equal_samples_leave_no_doubt()
    {
        Assert.Equal(new Estimate(3, 3, 3), Estimate.Median([3, 3, 3, 3, 3]));
        var estimate = Estimate.Median([1, 2, 3, 4, 100]);
        Assert.Equal(3, estimate.Value);
        Assert.InRange(estimate.Low, 1, 3);
        Assert.InRange(estimate.High, 3, 100);
    }

    [Fact]
    public void The_interval_covers_the_true_median_in_about_nineteen_of_twenty_experiments()
    {
        var random = new Random(1);
        var covered = Enumerable.Range(0, 200).Count(experiment =>
        {
            // Exponential times: skewed, as measured times are. Their median is ln 2.
            var estimate = Estimate.Median(Enumerable.Range(0, 25).Select(_ => -Math.Log(1 - random.NextDouble())), experiment);
            return estimate.Low <= Math.Log(2) && Math.Log(2) <= estimate.High;
        });
        Assert.InRange(covered, 176, 200);
    }

    [Fact]
    public void The_same_samples_and_seed_give_the_same_interval()
    {
        double[] samples = [.. Enumerable.Range(1, 15).Select(i => Math.Sqrt(i))];
        Assert.Equal(Estimate.Median(samples, 7), Estimate.Median(samples, 7));
    }

    [Fact]
    public void Samples_must_be_there_and_finite()
    {
        Assert.Contains("no sample", Assert.Throws<ArgumentException>(() => Estimate.Median([])).Message, StringComparison.Ordinal);
        Assert.Contains("not a finite", Assert.Throws<ArgumentException>(() => Estimate.Median([1, double.NaN])).Message, StringComparison.Ordinal);
    }
}
