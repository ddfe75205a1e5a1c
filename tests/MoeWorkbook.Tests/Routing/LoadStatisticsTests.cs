namespace MoeWorkbook.Tests.Routing;

public sealed class LoadStatisticsTests
{
    [Fact]
    public void Of_an_even_load()
    {
        var statistics = LoadStatistics.Of([5, 5, 5, 5]);
        Assert.Equal(Math.Log(4), statistics.Entropy, 1e-12);
        Assert.Equal(4, statistics.EffectiveExperts, 1e-12);
        Assert.Equal(0, statistics.Gini, 1e-12);
        Assert.Equal(0, statistics.MaxViolation, 1e-12);
        Assert.Equal(0, statistics.DeadExperts);
    }

    [Fact]
    public void Of_one_expert_with_everything()
    {
        var statistics = LoadStatistics.Of([0, 8, 0, 0], dropped: 2);
        Assert.Equal(0, statistics.Entropy, 1e-12);
        Assert.Equal(1, statistics.EffectiveExperts, 1e-12);
        Assert.Equal(0.75, statistics.Gini, 1e-12);
        Assert.Equal(3, statistics.MaxViolation, 1e-12);
        Assert.Equal(3, statistics.DeadExperts);
        Assert.Equal(0.25, statistics.DroppedShare, 1e-12);
    }

    [Fact]
    public void Of_a_load_by_hand()
    {
        var statistics = LoadStatistics.Of([1, 3]);
        Assert.Equal([0.25, 0.75], statistics.Shares);
        Assert.Equal(0.25, statistics.Gini, 1e-12); // |1 − 3| · 2 / (2 · 4 · 2)
        Assert.Equal(0.5, statistics.MaxViolation, 1e-12);
    }

    [Fact]
    public void Of_nothing_at_all_is_no_division_by_zero()
    {
        var statistics = LoadStatistics.Of([0, 0]);
        Assert.Equal([0, 0], statistics.Shares);
        Assert.Equal(0, statistics.Gini);
        Assert.Equal(0, statistics.MaxViolation);
        Assert.Equal(0, statistics.DroppedShare);
    }

    [Fact]
    public void Impossible_loads_are_refused()
    {
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => LoadStatistics.Of([])).Message);
        Assert.Contains("negative", Assert.Throws<ArgumentException>(() => LoadStatistics.Of([1, -1])).Message);
        Assert.Contains("dropped is 3", Assert.Throws<ArgumentException>(() => LoadStatistics.Of([1, 1], 3)).Message);
    }
}
