using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using GenericChart = Plotly.NET.GenericChart;

namespace MoeWorkbook;

/// <summary>A chart with a title and a sentence that says what to see in it; it shows itself in every notebook and page.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Figure : INotebookDisplay
{
    private static readonly JsonSerializerOptions AsIs = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
        this._chart = chart;
        Title = title;
        Caption = caption;
    }

    /// <summary>What is shown, in a few words.</summary>
    public string Title { get; }

    /// <summary>A sentence that says what to see.</summary>
    public string Caption { get; }

    /// <summary>The height of the drawing in pixels; its width is the page's.</summary>
    public int Height { get; init; } = 420;

    /// <summary>Settings of plotly.js's layout beyond what Plotly.NET.CSharp has methods for (tick formats, annotations, margins); they win over the chart's.</summary>
    public JsonObject Layout { get; init; } = [];

    /// <summary>The figure as plotly.js takes it: an object with <c>data</c>, <c>layout</c> and <c>config</c>.</summary>
    public string ToJson() => Json.ToJsonString(AsIs);

    /// <summary>The figure as a piece of an HTML page; plotly.js is loaded where the page lacks it (<see cref="PlotlyJavaScript"/>).</summary>
    public string ToHtml()
    {
        // Inside a script element no "<" may stand: "</script>" would end it.
        string text = ToJson().Replace("<", "\\u003c", StringComparison.Ordinal).Replace("\u2028", "\\u2028", StringComparison.Ordinal).Replace("\u2029", "\\u2029", StringComparison.Ordinal);
        string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];
        return $"""
            <figure style="margin:1em 0;padding:12px 14px;background:#fff;color:{FigureStyle.Ink};border-radius:8px;font-family:{FigureStyle.FontFamily};overflow:hidden">
            {Element("div", "font-size:17px;font-weight:600;margin:0 0 6px", Title)}
            <div data-figure="{id}" role="img" aria-label="{Escape($"{Title}. {Caption}")}" style="width:100%;height:{Height}px">This figure is drawn by JavaScript.</div>
            {Element("figcaption", "font-size:14px;line-height:1.45;margin:6px 0 0;color:#57606A", Caption)}
            <script>{PlotlyJavaScript.Draw}("{id}", {text});</script>
            </figure>
            """;
    }

    /// <summary>Title, caption and the names of the series with the number of their points, for readers of text.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append("Figure: ").AppendLine(Title).AppendLine(Caption);
        foreach (var trace in Json["data"]!.AsArray().OfType<JsonObject>().Where(trace => trace["name"] is not null))
            text.Append(CultureInfo.InvariantCulture, $"  {trace["name"]} ({trace["type"]}, {Size(trace)})").AppendLine();
        return text.ToString().TrimEnd();
    }

    private JsonObject Json => _json ??= CreateJson();

    private JsonObject CreateJson()
    {
        var written = JsonNode.Parse(GenericChart.toJson(_chart))!.AsObject();
        var layout = written["layout"] as JsonObject ?? [];
        // The page decides about the width and our own style about the looks.
        layout.Remove("width");
        layout["height"] = Height;
        layout["template"] = FigureStyle.Template(grid: layout["grid"] is not null);
        Merge(layout, Layout);
        return new JsonObject
        {
            ["data"] = written["data"]?.DeepClone() ?? new JsonArray(),
            ["layout"] = layout.DeepClone(),
            ["config"] = new JsonObject { ["responsive"] = true, ["displaylogo"] = false, ["modeBarButtons"] = new JsonArray(new JsonArray("toImage")) },
        };
    }

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
