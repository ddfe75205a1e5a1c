using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Plotly.NET.CSharp;

namespace MoeWorkbook.Tests.Figures;

public sealed class FigureTests
{
    private static readonly PublishedModel[] _few = [.. new[] { "llama-2-7b", "mixtral-8x7b", "gpt-oss-20b", "switch-base-8" }.Select(ModelCatalog.Find)];

    private static readonly string[] _tokens = ["a", "b"];

    public static TheoryData<string, Figure> All => new()
    {
        { "lines", TwoLines("first") },
        { "heat map", MoeWorkbook.Figures.HeatMap(new double[,] { { 0.1, 0.9 } }, ["the"], ["E1", "E2"], "Routing", "The second expert wins.", "expert", "token", "probability") },
        { "shares", MoeWorkbook.Figures.ParameterShares(_few) },
        { "total", MoeWorkbook.Figures.TotalAgainstActive(ModelCatalog.All) },
        { "held", MoeWorkbook.Figures.HeldAgainstRead(ModelCatalog.All) },
        { "conventions", MoeWorkbook.Figures.ActiveByConvention(_few) },
    };

    [Fact]
    public void Rows_with_intervals_stand_in_order_from_the_top_and_zero_is_in_sight()
    {
        var json = Json(MoeWorkbook.Figures.Intervals([("first", new(3, 2, 4)), ("second", new(5, 5, 6))], "t", "c", "x", "y"));
        Assert.Equal(["second", "first"], json["data"]![0]!["y"]!.AsArray().Select(name => (string)name!));
        Assert.Equal([0, 1], json["data"]![0]!["error_x"]!["arrayminus"]!.AsArray().Select(length => (double)length!));
        Assert.Equal([1, 1], json["data"]![0]!["error_x"]!["array"]!.AsArray().Select(length => (double)length!));
        Assert.True((double)json["layout"]!["xaxis"]!["range"]![0]! < 0);
        Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.Intervals([], "t", "c", "x", "y"));
    }

    private static Figure TwoLines(string name) => MoeWorkbook.Figures.Lines(
        [(name, [(1, 2), (2, 4.5)]), ("second", [(1, 1), (2, double.NaN)])], "Two lines", "The first is higher.", "tokens", "time (ms)");

    private static JsonObject Json(Figure figure) => JsonNode.Parse(figure.ToJson())!.AsObject();

    [Fact]
    public void The_json_holds_the_data_and_the_names()
    {
        var data = Json(TwoLines("first"))["data"]!.AsArray();
        Assert.Equal("first", (string?)data[0]!["name"]);
        Assert.Equal([2, 4.5], data[0]!["y"]!.AsArray().Select(y => (double)y!));
        Assert.Equal(2, data.Count);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_figure_titles_its_axes_and_says_what_to_see(string name, Figure figure)
    {
        var layout = Json(figure)["layout"]!;
        Assert.False(string.IsNullOrWhiteSpace((string?)layout["xaxis"]!["title"]!["text"]), name);
        Assert.False(string.IsNullOrWhiteSpace((string?)layout["yaxis"]!["title"]!["text"]), name);
        Assert.EndsWith(".", figure.Caption);
        Assert.Contains(figure.Caption, figure.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void An_axis_without_a_title_is_refused(string title) =>
        Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.Lines([("a", [(1, 1)])], "t", "c", title, "y"));

    [Fact]
    public void Nothing_to_draw_is_an_error_that_says_so()
    {
        Assert.Contains("no model", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.TotalAgainstActive([])).Message);
        Assert.Contains("no series", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.Lines([], "t", "c", "x", "y")).Message);
    }

    [Fact]
    public void No_text_of_a_figure_can_end_its_script()
    {
        var html = TwoLines("</script><script>alert(1)</script>").ToHtml();
        Assert.Single(Regex.Matches(html, "</script>"));
        Assert.Single(Regex.Matches(html, "<script"));
    }

    [Fact]
    public void Title_and_caption_are_escaped()
    {
        var figure = new Figure(Chart.Point<double, double, string>(x: [1.0], y: [1.0]), "a < b", "see \"a\" & <b>.");
        Assert.Contains("a &lt; b", figure.ToHtml());
        Assert.DoesNotContain("& <b>", figure.ToHtml());
    }

    [Fact]
    public void The_figure_stands_behind_its_place_as_json_and_brings_no_script_of_its_own()
    {
        var html = TwoLines("</script>").ToHtml();
        var json = Regex.Match(html, "<div data-figure=\"\"[^>]*>[^<]*</div>\n<script type=\"application/json\">(.*)</script>");
        Assert.Equal(TwoLines("</script>").ToJson(),
            JsonNode.Parse(json.Groups[1].Value)!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Assert.DoesNotContain("//cdn", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_figure_gives_the_same_page() => Assert.Equal(TwoLines("first").ToHtml(), TwoLines("first").ToHtml());

    [Fact]
    public void The_page_decides_about_the_width()
    {
        var figure = new Figure(Chart.Point<double, double, string>(x: [1.0], y: [1.0]).WithSize(Width: 100, Height: 100), "t", "c") { Height = 300 };
        Assert.Null(Json(figure)["layout"]!["width"]);
        Assert.Equal(300, (int)Json(figure)["layout"]!["height"]!);
    }

    [Fact]
    public void A_figures_own_layout_wins()
    {
        var figure = new Figure(Chart.Point<double, double, string>(x: [1.0], y: [1.0]).WithXAxisStyle<double, double, string>(TitleText: "chart"), "t", "c")
        {
            Layout = new { xaxis = new { tickformat = ".1f" } },
        };
        Assert.Equal(".1f", (string?)Json(figure)["layout"]!["xaxis"]!["tickformat"]);
        Assert.Equal("chart", (string?)Json(figure)["layout"]!["xaxis"]!["title"]!["text"]);
    }

    [Fact]
    public void Dark_numbers_can_be_read_on_every_colour_of_the_light_scales()
    {
        Assert.All(FigureStyle.LightScale.Concat(FigureStyle.LightDivergingScale), stop => Assert.True(Contrast("#444444", (string)stop[1]) >= 4.5));
        Assert.Equal(21, Contrast("#000000", "#FFFFFF"), 6);

        // The contrast ratio of WCAG 2.
        static double Contrast(string dark, string light) => (Luminance(light) + 0.05) / (Luminance(dark) + 0.05);
        static double Luminance(string hex) => 0.2126 * Linear(hex[1..3]) + 0.7152 * Linear(hex[3..5]) + 0.0722 * Linear(hex[5..7]);
        static double Linear(string hex)
        {
            var value = Convert.ToInt32(hex, 16) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }
    }

    [Theory, InlineData(0.5, "%{z:.2f}"), InlineData(12, "%{z:.0f}")]
    public void A_heat_map_of_whole_numbers_shows_no_decimals(double value, string format)
    {
        var figure = MoeWorkbook.Figures.HeatMap(new[,] { { value, 3 } }, ["the"], ["0", "1"], "t", "c", "expert", "token", "load");
        var heatmap = Json(figure)["layout"]!["template"]!["data"]!["heatmap"]![0]!;
        Assert.Equal(format, (string?)heatmap["texttemplate"]);
        Assert.Equal("token %{y}, expert %{x}<br>load: %{z:.4~g}<extra></extra>", (string?)heatmap["hovertemplate"]);
    }

    [Fact]
    public void A_heat_map_keeps_its_rows_and_refuses_names_that_do_not_fit()
    {
        var figure = MoeWorkbook.Figures.HeatMap(new double[,] { { 1, 2 }, { 3, 4 } }, ["a", "a"], _tokens, "t", "c", "expert", "token", "probability");
        Assert.Equal([3, 4], Json(figure)["data"]![0]!["z"]![1]!.AsArray().Select(z => (double)z!));
        Assert.Equal(["a", "a"], Json(figure)["layout"]!["yaxis"]!["ticktext"]!.AsArray().Select(name => (string?)name));
        var message = Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.HeatMap(new double[1, 2], ["a"], ["b"], "t", "c", "x", "y", "q")).Message;
        Assert.Contains("[1, 2]", message);
    }

    [Fact]
    public void A_logarithmic_axis_refuses_zero() =>
        Assert.Contains("positive", Assert.Throws<ArgumentException>(() => MoeWorkbook.Figures.Lines([("a", [(0, 1)])], "t", "c", "x", "y", logarithmic: true)).Message);

    [Fact]
    public void The_shares_of_a_model_add_up_to_100()
    {
        var data = Json(MoeWorkbook.Figures.ParameterShares(_few))["data"]!.AsArray();
        for (var model = 0; model < _few.Length; model++)
            Assert.Equal(100, data.Sum(trace => (double)trace!["x"]![model]!), 6);
    }

    [Fact]
    public void A_dense_model_lies_on_the_line()
    {
        var dense = Json(MoeWorkbook.Figures.TotalAgainstActive(_few))["data"]!.AsArray().Single(trace => (string?)trace!["name"] == "dense")!;
        Assert.Equal((double)dense["x"]![0]!, (double)dense["y"]![0]!);
        Assert.Equal(6.738415616, (double)dense["y"]![0]!, 9);
    }

    [Fact]
    public void A_log_axis_says_so() => Assert.Equal("log", (string?)Json(MoeWorkbook.Figures.TotalAgainstActive(_few))["layout"]!["xaxis"]!["type"]);

    [Fact]
    public void No_label_covers_another()
    {
        (double X, double Y)[] points = [.. Enumerable.Range(0, 30).Select(i => (300 + 40 * Math.Cos(i), 200 + 40 * Math.Sin(i)))];
        string[] labels = [.. points.Select((_, i) => $"model {i}")];
        var places = LabelPlacement.Place(points, labels, [], 600, 400);
        var middles = points.Zip(places).Where(p => p.Second is not null).Select(p => (X: p.First.X + p.Second!.Value.X, Y: p.First.Y + p.Second.Value.Y))
            .ToList();
        Assert.True(middles.Count >= 10);
        foreach (var (a, i) in middles.Select((m, i) => (m, i)))
            Assert.All(middles.Skip(i + 1), b => Assert.True(Math.Abs(a.X - b.X) >= 7 * 7 || Math.Abs(a.Y - b.Y) >= 15));
    }

    [Fact]
    public void Charts_in_a_grid_have_axes_of_their_own()
    {
        var chart = Chart.Heatmap<double, string, string, string>(zData: new double[][] { [1, 0], [0, 1] }, X: _tokens, Y: _tokens)
            .WithXAxisStyle<double, double, string>(TitleText: "expert");
        var json = Json(new Figure(Chart.Grid(new[] { chart, chart }, 1, 2, SubPlotTitles: _tokens), "t", "c"));
        Assert.Equal("x2", (string?)json["data"]![1]!["xaxis"]);
        Assert.Equal("expert", (string?)json["layout"]!["xaxis2"]!["title"]!["text"]);
    }

    [Fact]
    public void A_band_lies_between_its_limits()
    {
        double[] x = [1, 2], y = [2, 3];
        var data = Json(new Figure(Chart.Range<double, double,
            string>(x, y, upper: [3.0, 4.0], lower: [1.0, 2.0], mode: Plotly.NET.StyleParam.Mode.Lines), "t", "c"))["data"]!.AsArray();
        Assert.Equal(3, data.Count);
        Assert.Contains(data, trace => (string?)trace!["fill"] == "tonexty");
    }

    [Fact]
    public void A_bare_chart_has_html_too()
    {
        Assert.Contains("data-figure", NotebookDisplay.ToHtml(Chart.Point<double, double, string>(x: [1.0], y: [1.0])));
        Assert.Equal(TwoLines("a").ToHtml(), NotebookDisplay.ToHtml(TwoLines("a")));
        Assert.Null(NotebookDisplay.ToHtml("text"));
    }

    [Fact]
    public void A_drawing_is_well_formed_and_says_what_to_see()
    {
        foreach (var svg in new[] { Schematics.DenseAndMoeBlock(), Schematics.TokenPath(), Schematics.TokenPath([1, 1, 1], k: 3, token: "<&>") })
        {
            Assert.Equal("svg", System.Xml.Linq.XElement.Parse(svg.Markup).Name.LocalName);
            Assert.Contains(WebUtility.HtmlEncode(svg.Caption), svg.ToHtml());
        }
    }

    [Fact]
    public void The_weights_on_a_tokens_path_are_the_softmax_of_the_largest_logits()
    {
        // 1 / (1 + e^-1) = 0.731.
        var markup = WebUtility.HtmlDecode(Schematics.TokenPath([0, 2, -3, 1]).Markup);
        Assert.Contains("× 0.73", markup);
        Assert.Contains("× 0.27", markup);
    }

    [Fact]
    public void A_tokens_path_refuses_what_it_cannot_draw()
    {
        Assert.Contains("from 2 to 16", Assert.Throws<ArgumentException>(() => Schematics.TokenPath([1])).Message);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => Schematics.TokenPath([1, double.NaN])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Schematics.TokenPath([1, 2], k: 3));
    }
}
