using System.Net;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace MoeWorkbook.Tests.Figures;

public sealed class TransformerFigureTests
{
    private static readonly string[] _cached = ["llama-2-7b", "qwen3.5-35b-a3b"];

    private static JsonArray Lines(Figure figure) => JsonNode.Parse(figure.ToJson())!["data"]!.AsArray();

    private static double[] Values(JsonNode line, string axis) => [.. line[axis]!.AsArray().Select(value => (double)value!)];

    [Fact]
    public void A_line_of_the_cache_ends_at_the_longest_sequence_of_the_model()
    {
        var lines = Lines(MoeWorkbook.Figures.CacheAgainstContext(_cached));
        Assert.Equal([4096, 262144], lines.Select(line => Values(line!, "x")[^1]));
        // Llama-2-7B: 32 layers · 2 · 32 heads · 128 numbers · 2 bytes = 524,288 bytes a position.
        Assert.Equal(4096 * 524_288L / 1e9, Values(lines[0]!, "y")[^1], 9);
    }

    [Fact]
    public void The_lines_of_the_operations_add_up_to_the_count()
    {
        var mistral = ModelCatalog.Find("mistral-7b");
        var lines = Lines(MoeWorkbook.Figures.FlopsAgainstContext(mistral));
        var at = Array.IndexOf(Values(lines[0]!, "x"), 16384);
        var windowed = lines.Where(line => (string?)line!["name"] != "attention: between positions").Sum(line => Values(line!, "y")[at]);
        Assert.Equal(ForwardFlops.PerToken(mistral.Config, 16384).Total / 1e9, windowed, 9);
    }

    [Fact]
    public void A_crossing_is_marked_where_attention_between_positions_reaches_a_component()
    {
        // Mistral-7B: 6·4096·14336 / (4·4096) = 21,504 and 4·4096·128·40 / (4·4096) = 5,120.
        var json = MoeWorkbook.Figures.FlopsAgainstContext(ModelCatalog.Find("mistral-7b")).ToJson();
        Assert.Contains("21,504 positions", json);
        Assert.Contains("5,120 positions", json);
    }

    [Theory]
    [InlineData("llama-2-7b", 4)]
    [InlineData("mistral-7b", 5)]
    [InlineData("mixtral-8x7b", 4)]
    [InlineData("gpt-oss-20b", 5)]
    [InlineData("qwen3.5-35b-a3b", 4)]
    [InlineData("deepseek-v3", 4)]
    public void The_operations_of_every_kind_of_decoder_can_be_drawn(string id, int lines)
    {
        var drawn = Lines(MoeWorkbook.Figures.FlopsAgainstContext(ModelCatalog.Find(id)));
        Assert.Equal(lines, drawn.Count);
        Assert.All(drawn, line => Assert.All(Values(line!, "y"), value => Assert.True(value > 0)));
    }

    [Fact]
    public void An_encoder_and_decoder_is_refused() =>
        Assert.Throws<NotSupportedException>(() => MoeWorkbook.Figures.FlopsAgainstContext(ModelCatalog.Find("switch-base-8")));

    [Fact]
    public void The_drawing_of_a_block_shows_the_shapes_of_its_model()
    {
        var drawing = Schematics.DecoderBlock(ModelCatalog.Find("mistral-7b").Config);
        string[] texts = [.. XElement.Parse(drawing.Markup).Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value)];
        Assert.Contains("[S, 4096]", texts);
        Assert.Contains("[8, S, 128]", texts);
        Assert.Contains("[S, 14336]", texts);
        Assert.Contains(WebUtility.HtmlEncode(drawing.Caption), drawing.ToHtml());
    }

    [Fact]
    public void A_block_without_a_dense_layer_is_not_drawn() =>
        Assert.Contains("dense layer", Assert.Throws<ArgumentException>(() => Schematics.DecoderBlock(ModelCatalog.Find("mixtral-8x7b").Config)).Message);
}
