using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GenericChart = Plotly.NET.GenericChart;

namespace MoeWorkbook;

/// <summary>A chart with a title and a sentence that says what to see in it; it shows itself in every notebook and page.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Figure : INotebookDisplay
{
    private static readonly JsonSerializerOptions _asIs = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly object _config = new { responsive = true, displaylogo = false, modeBarButtons = new[] { new[] { "toImage" } } };

    // What stands in a figure's place until it is drawn.
    private const string Waiting = "The output of the notebook's first cell draws this figure. Run that cell, or scroll up to its output; a notebook that came from elsewhere must be trusted first.";

    private readonly GenericChart _chart;
    private JsonObject? _json;

    /// <summary>A figure of a Plotly.NET chart.</summary>
    /// <param name="chart">The chart, its axes titled with their units.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see; it is also read out to those who cannot see the figure.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public Figure(GenericChart chart, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(chart);
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(caption);
        _chart = chart;
        Title = title;
        Caption = caption;
    }

    /// <summary>What is shown, in a few words.</summary>
    public string Title { get; }

    /// <summary>A sentence that says what to see.</summary>
    public string Caption { get; }

    /// <summary>The height of the drawing in pixels; its width is the page's.</summary>
    public int Height { get; init; } = 420;

    /// <summary>Settings of plotly.js's layout beyond what Plotly.NET.CSharp has methods for (tick formats, annotations, margins), as an object with their
    /// names, such as <c>new { xaxis = new { dtick = 1 } }</c>; they win over the chart's.</summary>
    public object Layout { get; init; } = new { };

    /// <summary>The figure as plotly.js takes it: an object with <c>data</c>, <c>layout</c> and <c>config</c>.</summary>
    public string ToJson() => Json.ToJsonString(_asIs);

    /// <summary>The figure as a piece of an HTML page; the page's or notebook's <see cref="FigureScript"/> draws it.</summary>
    public string ToHtml()
    {
        // Inside a script element no "<" may stand: "</script>" would end it.
        var json = ToJson().Replace("<", "\\u003c", StringComparison.Ordinal);
        return $"""
            <figure style="margin:1em 0;padding:12px 14px;background:#fff;color:{FigureStyle.Ink};border-radius:8px;font-family:{FigureStyle.FontFamily};overflow:hidden">
            {Element("div", "font-size:17px;font-weight:600;margin:0 0 6px", Title)}
            <div data-figure="" role="img" aria-label="{Escape($"{Title}. {Caption}")}" style="width:100%;height:{Height}px">{Waiting}</div>
            <script type="application/json">{json}</script>
            {Element("figcaption", "font-size:14px;line-height:1.45;margin:6px 0 0;color:#57606A", Caption)}
            </figure>
            """;
    }

    /// <summary>Saves the drawing, without title and caption, as a picture. A headless browser draws it, offline; for many pictures open one
    /// <see cref="PicturePage"/>.</summary>
    /// <param name="path">The file; its ending says the format: <c>.png</c>, <c>.svg</c>, <c>.jpeg</c> or <c>.webp</c>.</param>
    /// <param name="width">Width in pixels at scale 1.</param>
    /// <param name="height">Height in pixels at scale 1; null for <see cref="Height"/>.</param>
    /// <param name="scale">How many times as many pixels are drawn; an SVG only grows.</param>
    /// <exception cref="ArgumentException">The file's ending names no such format.</exception>
    /// <exception cref="FileNotFoundException">No browser is found.</exception>
    public async Task SaveAsync(string path, int width = 800, int? height = null, double scale = 2)
    {
        await using var page = await PicturePage.OpenAsync();
        await page.SaveAsync(this, path, width, height, scale);
    }

    /// <summary>Title, caption and the names of the series with the number of their points, for readers of text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append("Figure: ").AppendLine(Title).AppendLine(Caption);
        foreach (var trace in Json["data"]!.AsArray().OfType<JsonObject>().Where(trace => trace["name"] is not null))
            text.Append(CultureInfo.InvariantCulture, $"  {trace["name"]} ({trace["type"]}, {Size(trace)})").AppendLine();
        return text.ToString().TrimEnd();
    }

    /// <summary>The same figure with more settings of its layout.</summary>
    internal Figure With(object layout)
    {
        var both = Node(Layout);
        Merge(both, Node(layout));
        return new(_chart, Title, Caption) { Height = Height, Layout = both };
    }

    private JsonObject Json => _json ??= CreateJson();

    private JsonObject CreateJson()
    {
        var written = JsonNode.Parse(GenericChart.toJson(_chart))!.AsObject();
        var layout = written["layout"] as JsonObject ?? [];
        // The page decides about the width and our own style about the looks.
        layout.Remove("width");
        layout["height"] = Height;
        layout["template"] = Node(FigureStyle.Template(grid: layout["grid"] is not null));
        Merge(layout, Node(Layout));
        return Node(new
        {
            data = written["data"] ?? new JsonArray(),
            layout,
            config = _config,
        });
    }

    private static JsonObject Node(object settings) => JsonSerializer.SerializeToNode(settings)!.AsObject();

    private static void Merge(JsonObject into, JsonObject from)
    {
        foreach (var (name, value) in from)
        {
            if (value is JsonObject child && into[name] is JsonObject own)
                Merge(own, child);
            else
                into[name] = value?.DeepClone();
        }
    }

    private static string Size(JsonObject trace) =>
        trace["z"] is JsonArray rows ? $"{rows.Count} rows" : $"{((trace["x"] ?? trace["y"]) as JsonArray)?.Count ?? 0} points";

    private static string Element(string name, string style, string text) => text.Length == 0 ? "" : $"<{name} style=\"{style}\">{Escape(text)}</{name}>";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
