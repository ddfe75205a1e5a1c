using System.Text.Json.Nodes;
using System.Xml.Linq;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Figures;

public sealed class RoutingFigureTests
{
    private static readonly string[] _tokens = ["a", "b", "c"];

    [Fact]
    public void A_combine_weight_stands_at_its_token_and_expert_and_nothing_elsewhere()
    {
        var trace = Json(MoeWorkbook.Figures.CombineWeights(TopTwo(), "t", "c.", _tokens))["data"]![0]!;
        Assert.Equal([0.75, null, 0.25], Row(trace, 0)); // ln 3 against 0
        Assert.Equal([null, 0.5, 0.5], Row(trace, 1));
        Assert.Equal([0.5, 0.5, null], Row(trace, 2)); // a tie
    }

    [Fact]
    public void A_dropped_assignment_is_left_out()
    {
        var decision = TopTwo();
        var figure = MoeWorkbook.Figures.CombineWeights(decision with { Kept = tensor(new[] { true, false, true, true, true, true }) }, "t", "c.");
        Assert.Equal([0.75, null, null], Row(Json(figure)["data"]![0]!, 0));
        var loads = MoeWorkbook.Figures.ExpertLoads([("one", decision with { Kept = tensor(new[] { true, false, true, true, true, true }) })], "t", "c.");
        Assert.Equal([2, 2, 1], Json(loads)["data"]![0]!["y"]!.AsArray().Select(y => (double)y!));
    }

    [Fact]
    public void Panels_share_their_axes_and_their_colours()
    {
        var json = Json(MoeWorkbook.Figures.CombineWeights([("first", TopTwo()), ("second", TopTwo()), ("third", TopTwo()), ("fourth", TopTwo())], "t", "c.", _tokens));
        Assert.Equal(["x", "x2", "x", "x2"], json["data"]!.AsArray().Select(trace => (string?)trace!["xaxis"]));
        Assert.Equal(["y", "y", "y2", "y2"], json["data"]!.AsArray().Select(trace => (string?)trace!["yaxis"]));
        Assert.Equal("coloraxis", (string?)json["layout"]!["template"]!["data"]!["heatmap"]![0]!["coloraxis"]);
        Assert.Equal(1, (double)json["layout"]!["coloraxis"]!["cmax"]!);
        Assert.Equal("expert", (string?)json["layout"]!["xaxis2"]!["title"]!["text"]);
        Assert.Equal(_tokens, json["layout"]!["yaxis2"]!["ticktext"]!.AsArray().Select(name => (string?)name));
    }

    [Fact]
    public void The_load_of_an_expert_is_a_bar_and_the_mean_a_line()
    {
        var data = Json(MoeWorkbook.Figures.ExpertLoads([("router", TopTwo())], "t", "c."))["data"]!;
        Assert.Equal([2, 2, 2], data[0]!["y"]!.AsArray().Select(y => (double)y!));
        Assert.Equal([2, 2], data[1]!["y"]!.AsArray().Select(y => (double)y!));
    }

    [Fact]
    public void A_gradient_of_zero_or_of_rounding_stays_blank()
    {
        var gradient = tensor(new[] { 0.5, -0.25, 0, 1e-12 }, [2, 2]);
        var json = Json(MoeWorkbook.Figures.LogitGradients([("router", gradient)], "t", "c."));
        Assert.Equal([0.5, -0.25], Row(json["data"]![0]!, 0));
        Assert.Equal([null, null], Row(json["data"]![0]!, 1));
        Assert.Equal(-0.5, (double)json["layout"]!["coloraxis"]!["cmin"]!);
        Assert.All(Row(Json(MoeWorkbook.Figures.LogitGradients([("none", zeros(2, 2))], "t", "c."))["data"]![0]!, 0), Assert.Null);
    }

    [Fact]
    public void What_does_not_fit_together_is_refused_with_both_sizes()
    {
        Assert.Contains("2 names for 3 tokens", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.CombineWeights(TopTwo(), "t", "c.", ["a", "b"])).Message);
        Assert.Contains("nothing to draw", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.CombineWeights([], "t", "c.")).Message);
        Assert.Contains("nothing to draw", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.ExpertLoads([], "t", "c.")).Message);
        var message = Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LogitGradients([("one", zeros(2, 3)), ("two", zeros(2, 4))], "t", "c.")).Message;
        Assert.Contains("two has 2 tokens and 4 experts where one has 2 and 3", message);
        Assert.Contains("[2]", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.LogitGradients([("one", zeros(2))], "t", "c.")).Message);
    }

    [Fact]
    public void Who_chooses_counts_the_experts_of_tokens_and_the_tokens_of_experts()
    {
        var byTokens = Route(new SoftmaxTopKRouter(2, 2, 1), new[,] { { 1f, 0f }, { 2f, 0f } });
        var byExperts = Route(new ExpertChoiceRouter(2, 2, 1), new[,] { { 1f, 0f }, { 2f, 0f } });
        var svg = Schematics.WhoChooses(byTokens, byExperts, ["<a>", "b"]);
        var texts = XElement.Parse(svg.Markup).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value).ToList();
        Assert.Contains("<a>", texts);
        // Tokens choose: loads 2 and 0, one expert each. Experts choose: one token each, one expert each.
        Assert.Equal(1, texts.Count(text => text == "2"));
        Assert.Equal(1, texts.Count(text => text == "0"));
        Assert.Equal(6, texts.Count(text => text == "1"));
    }

    [Fact]
    public void Who_chooses_refuses_what_it_cannot_draw()
    {
        var small = Route(new SoftmaxTopKRouter(2, 2, 1), new float[2, 2]);
        Assert.Contains("2 tokens and 2 experts", Assert.Throws<ArgumentException>(() => Schematics.WhoChooses(small, TopTwo())).Message);
        Assert.Contains("3 names for 2 tokens", Assert.Throws<ArgumentException>(() => Schematics.WhoChooses(small, small, _tokens)).Message);
        var large = Route(new SoftmaxTopKRouter(8, 8, 1), new float[2, 8]);
        Assert.Contains("at most 12 and 6", Assert.Throws<ArgumentException>(() => Schematics.WhoChooses(large, large)).Message);
    }

    private static RoutingDecision TopTwo() =>
        Route(new SoftmaxTopKRouter(3, 3, 2), new[,] { { MathF.Log(3), -9, 0 }, { -9, 0, 0 }, { 0, 0, -9 } });

    /// <summary>The decision of a router whose W is the identity, so that the hidden states are the logits.</summary>
    private static RoutingDecision Route(LinearRouter router, float[,] logits)
    {
        using (no_grad()) router.Weight.copy_(eye(router.ExpertCount));
        router.eval();
        return router.forward(new RouterInput(from_array(logits).unsqueeze(0)));
    }

    private static JsonObject Json(Figure figure) => JsonNode.Parse(figure.ToJson())!.AsObject();

    // Plotly.NET writes what is no number as the text "NaN", which plotly.js leaves blank.
    private static IEnumerable<double?> Row(JsonNode trace, int row) =>
        trace["z"]![row]!.AsArray().Select(z => z!.GetValueKind() == System.Text.Json.JsonValueKind.String ? (double?)null : Math.Round((double)z, 6));
}
