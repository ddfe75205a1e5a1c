using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Figures;

public sealed class TimingFigureTests
{
    private static readonly Measurement _measurement = new("layer", [0.01], new(0.010, 0.009, 0.012));

    [Fact]
    public void A_point_lies_at_its_intensity_and_rate_with_an_interval_turned_round()
    {
        var figure = MoeWorkbook.Figures.Roofline(new(10e9, 100e9), [("layer", [(new Workload(1e9, 2e9), new Estimate(0.2, 0.1, 0.4))])]);
        var json = JsonNode.Parse(figure.ToJson())!;
        Assert.Equal(2.0, (double)json["data"]![1]!["x"]![0]!);
        Assert.Equal(10.0, (double)json["data"]![1]!["y"]![0]!);
        Assert.Equal((5.0, 10.0), Whisker(json["data"]![1]!, 0));
        Assert.Equal(100.0, (double)json["data"]![0]!["y"]![2]!);
    }

    [Fact]
    public void The_predicted_advantage_is_the_ratio_of_experts_read()
    {
        LayerTiming[] timings = [Timing(1, touched: 2, advantage: 3.9), Timing(64, touched: 8, advantage: 1.2)];
        var json = JsonNode.Parse(MoeWorkbook.Figures.AdvantageAgainstBatch(timings, 8, [(1, 4.0), (64, 3.5)]).ToJson())!;
        Assert.Equal([4.0, 1.0], json["data"]![0]!["y"]!.AsArray().Select(y => (double)y!));
        Assert.Equal("measured, uniform", (string)json["data"]![1]!["name"]!);
        Assert.Equal([3.9, 1.2], json["data"]![1]!["y"]!.AsArray().Select(y => Math.Round((double)y!, 9)));
        Assert.Equal([4.0, 3.5], json["data"]![2]!["y"]!.AsArray().Select(y => (double)y!));

        static LayerTiming Timing(int tokens, double touched, double advantage) => new(tokens, RoutingPattern.Uniform, touched, touched, Measurement.Rounds(
            new(), ("Mixture of Experts", () => 0.01), ("dense, equal total", () => 0.01 * advantage), ("dense, equal active", () => 0.01)));
    }

    [Fact]
    public void Every_bar_has_its_interval()
    {
        var json = JsonNode.Parse(MoeWorkbook.Figures.Times([_measurement, _measurement with { Name = "other" }], "t", "c").ToJson())!;
        Assert.Equal(["layer", "other"], json["data"]![0]!["x"]!.AsArray().Select(name => (string)name!));
        Assert.Equal([(1.0, 2.0), (1.0, 2.0)], Enumerable.Range(0, 2).Select(bar => Whisker(json["data"]![0]!, bar)));
    }

    [Fact]
    public void Steps_stand_with_their_limits_on_a_logarithmic_axis()
    {
        var json = JsonNode.Parse(MoeWorkbook.Figures.TimesAgainstLimits([("slow", new Estimate(0.1, 0.09, 0.11), 0.02),
            ("fast", new Estimate(0.01, 0.009, 0.011), 0.009)], "t", "c").ToJson())!;
        Assert.Equal([20.0, 9.0], json["data"]![0]!["y"]!.AsArray().Select(y => (double)y!), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal([100.0, 10.0], json["data"]![1]!["y"]!.AsArray().Select(y => (double)y!), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal((80.0, 0.0), Whisker(json["data"]![1]!, 0));
        Assert.Equal("log", (string)json["layout"]!["yaxis"]!["type"]!);
        Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.TimesAgainstLimits([], "t", "c"));
        Assert.Contains("'none'", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.TimesAgainstLimits([("none", new Estimate(1, 1, 1), 0)], "t",
            "c")).Message, StringComparison.Ordinal);
    }

    // How far a whisker goes down and up from its point.
    private static (double Down, double Up) Whisker(JsonNode trace, int point) =>
        (Math.Round((double)trace["error_y"]!["arrayminus"]![point]!, 9), Math.Round((double)trace["error_y"]!["array"]![point]!, 9));

    [Fact]
    public void A_figure_of_nothing_is_refused()
    {
        Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.Roofline(new(1, 1), []));
        Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.AdvantageAgainstBatch([], 8));
        Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.Times([], "t", "c"));
    }
}
