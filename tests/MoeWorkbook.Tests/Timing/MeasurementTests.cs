namespace MoeWorkbook.Tests.Timing;

public sealed class MeasurementTests
{
    private readonly SteppedClock _clock = new();

    private MeasurementOptions Options => new() { Clock = _clock, Limit = TimeSpan.FromHours(1) };

    [Fact]
    public void Every_round_times_every_alternative_once_and_the_order_changes()
    {
        var calls = new List<string>();
        var options = Options with { Rounds = 20, WarmUpRounds = 0 };
        Measurement.Rounds(options, ("a", () => Sample("a")), ("b", () => Sample("b")), ("c", () => Sample("c")));

        var rounds = calls.Chunk(3).ToList();
        Assert.Equal(20, rounds.Count);
        Assert.All(rounds, round => Assert.Equal(["a", "b", "c"], round.Order()));
        Assert.True(rounds.Select(round => string.Concat(round)).Distinct().Count() > 1);

        double Sample(string name)
        {
            calls.Add(name);
            return 1;
        }
    }

    [Fact]
    public void Warm_up_rounds_do_not_count()
    {
        double next = 100;
        var measured = Measurement.Rounds(Options with { Rounds = 5, WarmUpRounds = 1 }, ("a", () =>
        {
            var seconds = next;
            next = 1;
            return seconds;
        }
        ));
        Assert.Equal([1, 1, 1, 1, 1], measured["a"].Samples);
    }

    [Fact]
    public void The_median_ignores_one_slow_round()
    {
        var round = 0;
        var measured = Measurement.Compare(Options with { Rounds = 9, WarmUpRounds = 1 }, ("a", () => _clock.Advance(++round == 7 ? 500 : 20)));
        Assert.Equal(0.020, measured["a"].Seconds.Value, 9);
        Assert.Contains(0.5, measured["a"].Samples);
    }

    [Fact]
    public void A_short_action_is_repeated_within_a_sample()
    {
        var calls = 0;
        var measured = Measurement.Compare(Options with { Rounds = 5 }, ("a", () =>
        {
            calls++;
            _clock.Advance(0.01);
        }
        ));
        Assert.Equal(0.00001, measured["a"].Seconds.Value, 9);
        Assert.True(calls > 5 * 100, $"{calls} calls");
    }

    [Fact]
    public void No_round_begins_after_the_limit_once_the_fewest_are_done()
    {
        var options = Options with { Rounds = 100, FewestRounds = 5, WarmUpRounds = 0, Limit = TimeSpan.FromSeconds(1) };
        Assert.Equal(5, Measurement.Compare(options, ("slow", () => _clock.Advance(1000)))["slow"].Samples.Count);
        Assert.InRange(Measurement.Compare(options, ("fast", () => _clock.Advance(100)))["fast"].Samples.Count, 8, 12);
    }

    [Fact]
    public void The_ratio_is_paired_within_rounds_so_that_a_machine_slowing_down_does_not_count()
    {
        // From round to round everything takes longer; one alternative always takes three times as long as the other.
        var calls = 0;
        var measured = Measurement.Rounds(Options with { Rounds = 10, WarmUpRounds = 0 }, ("one", () => Slowness()), ("three", () => 3 * Slowness()));
        Assert.Equal(3, measured.Ratio("three", "one").Value, 9);
        Assert.Equal(3, measured.Ratio("three", "one").High, 9);
        Assert.NotEqual(measured["one"].Seconds.Low, measured["one"].Seconds.High);

        double Slowness() => 1 + calls++ / 2;
    }

    [Fact]
    public void A_comparison_shows_medians_and_multiples_of_the_first()
    {
        var text = Measurement.Rounds(Options with { Rounds = 6 }, ("dense", () => 0.010), ("moe", () => 0.0025)).ToString();
        Assert.Contains("dense", text, StringComparison.Ordinal);
        Assert.Contains("2.500", text, StringComparison.Ordinal);
        Assert.Contains("0.2500", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5, "range of 5 rounds")]
    [InlineData(6, "95% interval, 6 rounds")]
    public void A_comparison_says_what_its_intervals_are(int rounds, string name) =>
        Assert.Contains(name, Measurement.Rounds(Options with { Rounds = rounds }, ("dense", () => 1)).ToString(), StringComparison.Ordinal);

    [Fact]
    public void An_unknown_name_says_which_there_are()
    {
        var measured = Measurement.Rounds(Options, ("dense", () => 1));
        Assert.Contains("there are dense", Assert.Throws<ArgumentException>(() => measured["moe"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Alternatives_must_be_there_and_have_different_names()
    {
        Assert.Contains("no alternative", Assert.Throws<ArgumentException>(() => Measurement.Compare()).Message, StringComparison.Ordinal);
        Assert.Contains("one name", Assert.Throws<ArgumentException>(() => Measurement.Compare(("a", () => { }), ("a", () => { }))).Message, StringComparison.Ordinal);
        Assert.Contains("Rounds is 0",
            Assert.Throws<ArgumentException>(() => Measurement.Compare(Options with { Rounds = 0 }, ("a", () => { }))).Message, StringComparison.Ordinal);
    }
}
