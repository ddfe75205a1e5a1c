using System.Text.Json.Nodes;
using Plotly.NET.CSharp;
using GenericChart = Plotly.NET.GenericChart;
using StyleParam = Plotly.NET.StyleParam;

namespace MoeWorkbook;

/// <summary>The workbook's figures: one function each, from plain values to a <see cref="Figure"/>.</summary>
public static partial class Figures
{
    /// <summary>Lines of one quantity over another.</summary>
    /// <param name="series">Each line's name and points (x, y).</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="x">The horizontal axis: quantity and unit, such as "tokens" or "time (ms)".</param>
    /// <param name="y">The vertical axis: quantity and unit.</param>
    /// <param name="logarithmic">Both axes logarithmic.</param>
    /// <exception cref="ArgumentException">An axis has no title, or there is no series.</exception>
    public static Figure Lines(
        IEnumerable<(string Name, IEnumerable<(double X, double Y)> Points)> series, string title, string caption, string x, string y, bool logarithmic = false)
    {
        ArgumentNullException.ThrowIfNull(series);
        var lines = series.Select((line, i) => Chart.Line<double, double, string>(
            x: line.Points.Select(p => p.X), y: line.Points.Select(p => p.Y),
            ShowMarkers: line.Points.Count() <= 20, Name: line.Name, LineColor: Colour(i), MarkerColor: Colour(i))).ToList();
        if (lines.Count == 0)
            throw new ArgumentException("there is no series to draw", nameof(series));
        var type = logarithmic ? StyleParam.AxisType.Log : StyleParam.AxisType.Linear;
        return new Figure(Titled(Chart.Combine(lines), x, y, type, type), title, caption) { Layout = new() { ["showlegend"] = lines.Count > 1 } };
    }

    private static Plotly.NET.Color Colour(int series) => FigureStyle.ToColor(FigureStyle.Palette[series % FigureStyle.Palette.Count]);

    // Every axis says what it counts and in what unit.
    private static GenericChart Titled(GenericChart chart, string x, string y, StyleParam.AxisType xType, StyleParam.AxisType yType)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(x);
        ArgumentException.ThrowIfNullOrWhiteSpace(y);
        return chart
            .WithXAxisStyle<double, double, string>(TitleText: x, AxisType: xType)
            .WithYAxisStyle<double, double, string>(TitleText: y, AxisType: yType);
    }

    private static JsonObject Axis(params (string Name, JsonNode? Value)[] settings) => new(settings.ToDictionary(s => s.Name, s => s.Value));
}
