using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Figures;

public sealed class TrainingFigureTests
{
    [Fact]
    public void Seeds_of_one_name_are_one_line_at_their_mean_with_a_band_from_lowest_to_highest()
    {
        var data = Json(MoeWorkbook.Figures.LossCurves([Run("moe", 4, 2), Run("moe", 3, 1), Run("dense", 5, 4)], TrainingCost.Steps, "t", "c.", entropyFloor: 0.5))["data"]!;
        Assert.Equal([4, 2, 1, 3], Numbers(data[0]!["y"]!));
        Assert.Equal("toself", (string?)data[0]!["fill"]);
        Assert.Equal([3.5, 1.5], Numbers(data[1]!["y"]!));
        Assert.Equal([10, 20], Numbers(data[1]!["x"]!));
        Assert.Equal(["moe", "dense", "entropy of the source"], data.AsArray().Select(trace => (string?)trace!["name"]).OfType<string>());
        Assert.Equal([0.5, 0.5], Numbers(data[3]!["y"]!));
    }

    [Fact]
    public void An_even_load_is_one_and_a_dead_expert_zero()
    {
        var json = Json(MoeWorkbook.Figures.LoadOverTraining([Run("moe", 4, 2)], 0, "t", "c."));
        Assert.Equal([[1.5, 2], [0.5, 0]], json["data"]![0]!["z"]!.AsArray().Select(row => Numbers(row!)));
        Assert.Equal([10, 20], Numbers(json["data"]![0]!["x"]!));
        Assert.Contains("there is none of number 1",
            Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LoadOverTraining([Run("moe", 4, 2)], 1, "t", "c.")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Anything_a_stage_tells_can_be_drawn()
    {
        var json = Json(MoeWorkbook.Figures.OverTraining([Run("moe", 4, 2)], stage => stage.LoadOf(0).DeadExperts, "t", "c.", "dead experts"));
        Assert.Equal([0, 1], Numbers(json["data"]![0]!["y"]!));
        Assert.Equal("tozero", (string?)json["layout"]!["yaxis"]!["rangemode"]);
    }

    [Fact]
    public void Bars_of_specialisation_stand_beside_their_baseline_with_whiskers()
    {
        var measured = new MoeWorkbook.Specialization(new(0.5, 0.4, 0.6), new(0.3, 0.2, 0.4), new(0.01, 0, 0.02), new(0.2, 0.1, 0.3));
        var json = Json(MoeWorkbook.Figures.Specialization([measured, measured], "t", "c."));
        Assert.Equal([30, 30], Numbers(json["data"]![0]!["y"]!));
        Assert.Equal([-0.18, 0.82], Numbers(json["data"]![0]!["x"]!));
        Assert.Equal([10, 10], Numbers(json["data"]![0]!["error_y"]!["arrayminus"]!), (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal([1, 1], Numbers(json["data"]![1]!["error_y"]!["array"]!), (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void The_rise_without_an_expert_stands_at_its_domain()
    {
        var json = Json(MoeWorkbook.Figures.Ablation(new([1, 2], [[1.5, 2], [1, 4]]), ["a", "b"], "t", "c."));
        Assert.Equal([[0.5, 0], [0, 2]], json["data"]![0]!["z"]!.AsArray().Select(row => Numbers(row!)));
    }

    [Fact]
    public void Experts_and_domains_lie_in_one_plane()
    {
        var directions = RouterDirections.Of(TorchSharp.torch.tensor(new[] { 3.0, 1, 3, -1, -3, 1, -3, -1 }, [4, 2]));
        var json = Json(MoeWorkbook.Figures.RouterDirections(directions, [("dna", [3, 3, -3, -3])], "t"));
        Assert.Equal(["0", "1", "2", "3"], json["data"]![0]!["text"]!.AsArray().Select(text => (string?)text));
        // As far out as the farthest expert, along the first axis.
        Assert.Equal(Math.Sqrt(10), Math.Abs((double)json["data"]![1]!["x"]![0]!), 9);
        Assert.Contains("90%", (string?)json["layout"]!["xaxis"]!["title"]!["text"], StringComparison.Ordinal);
    }

    private static TrainingRun Run(string name, double first, double last) => new()
    {
        Name = name,
        Seed = 0,
        TotalParameters = 2,
        ActiveParameters = 1,
        ForwardFlopsPerToken = 1,
        Stages = [Stage(10, first, [3, 1]), Stage(20, last, [4, 0])],
        Validations = [Validation(10, first), Validation(20, last)],
    };

    private static TrainingStep Stage(int step, double loss, long[] load) =>
        new() { Step = step, Loss = loss, GradientNorm = 1, LearningRate = 1, Tokens = 4, Seconds = 1, Load = [load] };

    private static ValidationResult Validation(int step, double loss) => new() { Step = step, Loss = loss, DomainLosses = [loss], Tokens = 4 };

    private static JsonNode Json(Figure figure) => JsonNode.Parse(figure.ToJson())!;

    private static IEnumerable<double> Numbers(JsonNode array) => array.AsArray().Select(number => Math.Round((double)number!, 9));
}
