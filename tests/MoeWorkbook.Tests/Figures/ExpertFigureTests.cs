using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Figures;

public sealed class ExpertFigureTests
{
    [Fact]
    public void The_sorted_drawing_shows_each_token_once_for_each_expert_and_once_at_each_end()
    {
        var markup = Schematics.SortedAssignments(Decision([[0, 1], [2, 0], [1, 2]], experts: 4)).Markup;
        for (var token = 0; token < 3; token++)
            Assert.Equal(4, Regex.Count(markup, $">(Σ )?token {token}<"));
        Assert.Contains(">expert 2<", markup);
        Assert.DoesNotContain(">expert 3<", markup);
    }

    [Fact]
    public void A_dropped_assignment_is_not_in_the_sorted_drawing()
    {
        var routing = new ExpertCapacity(0.5).Apply(Decision([[0], [0], [1], [1]], experts: 2));
        var markup = Schematics.SortedAssignments(routing).Markup;
        Assert.Equal(3, Regex.Count(markup, ">(Σ )?token 0<"));
        Assert.Equal(2, Regex.Count(markup, ">(Σ )?token 1<"));
    }

    [Fact]
    public void A_decision_too_large_to_draw_is_refused_with_its_size()
    {
        var routing = Decision([.. Enumerable.Range(0, 13).Select(_ => new long[] { 0 })], experts: 2);
        Assert.Contains("13 tokens", Assert.Throws<ArgumentException>(() => Schematics.SortedAssignments(routing)).Message);
        Assert.Contains("24 slots", Assert.Throws<ArgumentException>(() => Schematics.ExpertBuffers(25, ("too wide", routing))).Message);
    }

    [Fact]
    public void The_buffers_have_a_box_for_each_slot_and_each_dropped_token()
    {
        var routing = new ExpertCapacity(1).Apply(Decision([[0], [0], [0], [0], [1], [2]], experts: 3));
        var markup = Schematics.ExpertBuffers(2, ("skewed", routing)).Markup;
        Assert.Equal(2 * 3, Regex.Count(markup, $"stroke=\"({FigureStyle.Blue}|{FigureStyle.Grey})\""));
        Assert.Equal(2, Regex.Count(markup, $"stroke=\"{FigureStyle.Vermilion}\""));
        Assert.Contains(">dropped<", markup);
    }

    [Fact]
    public void Buffers_that_are_too_small_for_what_is_kept_are_refused()
    {
        var routing = Decision([[0], [0], [0]], experts: 2);
        Assert.Contains("expert 0 keeps 3", Assert.Throws<ArgumentException>(() => Schematics.ExpertBuffers(2, ("t", routing))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Schematics.ExpertBuffers(0, ("t", routing)));
        Assert.Contains("no decision", Assert.Throws<ArgumentException>(() => Schematics.ExpertBuffers(2)).Message);
    }

    [Fact]
    public void What_is_dropped_follows_the_capacity_factor()
    {
        var even = Decision([[0], [1], [0], [1]], experts: 2);
        var skewed = Decision([[0], [0], [0], [0]], experts: 2);
        var data = Data(MoeWorkbook.Figures.DroppedByCapacity([("even", even), ("skewed", skewed)], [0.5, 1, 2]));
        Assert.Equal([50, 0, 0], Numbers(data[0], "y"));
        Assert.Equal([75, 50, 0], Numbers(data[1], "y"));
    }

    [Fact]
    public void By_position_the_end_of_the_batch_loses()
    {
        var routing = new ExpertCapacity(1).Apply(Decision([[0], [0], [0], [0]], experts: 2));
        var data = Data(MoeWorkbook.Figures.DroppedByPosition([("position", routing)], bins: 2));
        Assert.Equal([1, 3], Numbers(data[0], "x"));
        Assert.Equal([0, 100], Numbers(data[0], "y"));
        Assert.Contains("4 tokens", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.DroppedByPosition([("t", routing)], bins: 5)).Message);
    }

    [Fact]
    public void The_loads_of_a_layer_add_up_to_100_percent()
    {
        var figure = MoeWorkbook.Figures.LoadByLayer([Decision([[0], [0], [1], [0]], experts: 2), Decision([[0], [1], [1], [0]], experts: 2)]);
        var z = Data(figure)[0]!["z"]!.AsArray();
        Assert.Equal([75, 25], z[0]!.AsArray().Select(share => (double)share!));
        Assert.Equal([50, 50], z[1]!.AsArray().Select(share => (double)share!));
        Assert.Contains("50%", figure.Caption);
    }

    [Fact]
    public void Layers_with_different_numbers_of_experts_are_refused()
    {
        var message = Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LoadByLayer([Decision([[0]], 2), Decision([[0]], 3)])).Message;
        Assert.Contains("2 and 3", message);
        Assert.Contains("no layer", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LoadByLayer([])).Message);
    }

    /// <summary>Tokens with the experts given, all with the same weight.</summary>
    private static RoutingDecision Decision(long[][] chosen, int experts)
    {
        int tokens = chosen.Length, k = chosen[0].Length;
        var logits = zeros(tokens, experts);
        return RoutingDecision.TopK(new(zeros(1, tokens, 4)), logits, logits.softmax(-1),
            tensor(chosen.SelectMany(c => c).ToArray(), [tokens, k]), full(tokens, k, 1.0 / k, dtype: ScalarType.Float32));
    }

    private static JsonArray Data(Figure figure) => JsonNode.Parse(figure.ToJson())!["data"]!.AsArray();

    private static IEnumerable<double> Numbers(JsonNode? trace, string axis) => trace![axis]!.AsArray().Select(number => (double)number!);
}
