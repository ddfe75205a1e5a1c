namespace MoeWorkbook.Tests.Statistics;

public sealed class SpeedUpTests
{
    [Fact]
    public void The_loss_where_the_reference_ends_is_reached_between_two_points()
    {
        // 2.5 lies half-way between 100 and 200 steps.
        var speedUp = SpeedUp.ToEqualLoss([Curve((100, 3), (300, 2.5))], [Curve((100, 3), (200, 2), (300, 1))]);
        Assert.Equal(2.5, speedUp.Target);
        Assert.Equal(2, speedUp.Ratio.Value, 12);
        Assert.Equal((2.0, 2.0), (speedUp.Ratio.Low, speedUp.Ratio.High));
    }

    [Fact]
    public void The_interval_spans_the_seeds()
    {
        var speedUp = SpeedUp.ToEqualLoss(
            [Curve((0, 4), (300, 2)), Curve((0, 4), (300, 2)), Curve((0, 4), (300, 2))],
            [Curve((0, 4), (100, 2)), Curve((0, 4), (150, 2)), Curve((0, 4), (200, 2))]);
        Assert.Equal(2, speedUp.Ratio.Value, 12);
        Assert.Equal((1.5, 3.0), (Math.Round(speedUp.Ratio.Low, 6), Math.Round(speedUp.Ratio.High, 6)));
    }

    [Fact]
    public void A_loss_that_is_never_reached_is_said_so()
    {
        var speedUp = SpeedUp.ToEqualLoss([Curve((1, 3), (2, 1))], [Curve((1, 3), (2, 2))]);
        Assert.False(speedUp.Reached);
        Assert.Contains("1.000 is never reached", speedUp.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Different_seeds_are_not_compared()
    {
        Assert.Contains("2 seeds and the candidate 1",
            Assert.Throws<ArgumentException>(() => SpeedUp.ToEqualLoss([Curve((1, 3)), Curve((1, 3))], [Curve((1, 3))])).Message, StringComparison.Ordinal);
        Assert.Contains("1 and 2 points", Assert.Throws<ArgumentException>(() => SpeedUp.ToEqualLoss([Curve((1, 3)), Curve((1, 3), (2, 2))],
            [Curve((1, 3)), Curve((1, 3))])).Message, StringComparison.Ordinal);
    }

    private static (double, double)[] Curve(params (double Spent, double Loss)[] points) => points;
}
