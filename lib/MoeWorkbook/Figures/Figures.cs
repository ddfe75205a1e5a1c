using Microsoft.FSharp.Core;
using Plotly.NET.CSharp;
using Plotly.NET.TraceObjects;
using Color = Plotly.NET.Color;
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
    /// <exception cref="ArgumentException">An axis has no title, there is no series, or a value is not positive on a logarithmic axis.</exception>
    public static Figure Lines(
        IEnumerable<(string Name, IEnumerable<(double X, double Y)> Points)> series, string title, string caption, string x, string y, bool logarithmic = false)
    {
        ArgumentNullException.ThrowIfNull(series);
        var lines = series.Select(line => (line.Name, Points: line.Points.ToList())).ToList();
        if (lines.Count == 0)
            throw new ArgumentException("there is no series to draw", nameof(series));
        var points = lines.SelectMany(line => line.Points).ToList();
        if (logarithmic && points.Any(p => p.X <= 0 || p.Y <= 0))
            throw new ArgumentException("a logarithmic axis shows positive values only", nameof(series));

        var chart = Chart.Combine(lines.Select((line, i) => Chart.Line<double, double, string>(
            x: line.Points.Select(p => p.X), y: line.Points.Select(p => p.Y),
            ShowMarkers: line.Points.Count <= 20, Name: line.Name, LineColor: SeriesColor(i), MarkerColor: SeriesColor(i))));
        var type = logarithmic ? StyleParam.AxisType.Log : StyleParam.AxisType.Linear;
        return new Figure(Titled(chart, x, y, type, type), title, caption)
        {
            Layout = new
            {
                showlegend = lines.Count > 1,
                xaxis = Decades(points.Select(p => p.X)),
                yaxis = Decades(points.Select(p => p.Y)),
                template = Traces("scatter", new
                {
                    marker = FigureStyle.Marker,
                    line = FigureStyle.Line,
                    hovertemplate = $"<b>%{{fullData.name}}</b><br>{x}: %{{x:.4~g}}<br>{y}: %{{y:.4~g}}<extra></extra>",
                }),
            },
        };

        // Over two powers of ten and more, only these are named.
        object Decades(IEnumerable<double> values) =>
            logarithmic && values.Where(double.IsFinite).ToList() is { Count: > 0 } finite && finite.Max() / finite.Min() >= 100 ? new { dtick = 1 } : new { };
    }

    /// <summary>Quantities with intervals, one row each, beside a line at zero.</summary>
    /// <param name="rows">Each row's name and quantity, from the top.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see, and what the intervals are.</param>
    /// <param name="x">The horizontal axis: quantity and unit.</param>
    /// <param name="y">What the rows are.</param>
    /// <exception cref="ArgumentException">An axis has no title, or there is no row.</exception>
    public static Figure Intervals(IEnumerable<(string Name, Estimate Quantity)> rows, string title, string caption, string x, string y)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var shown = rows.Reverse().ToList(); // the axis begins at the bottom
        if (shown.Count == 0) throw new ArgumentException("There is no row to draw.", nameof(rows));
        string[] names = [.. shown.Select(row => row.Name)];
        Estimate[] quantities = [.. shown.Select(row => row.Quantity)];
        var chart = Plotly.NET.Chart.withXError(Whiskers(quantities, SeriesColor(0)))
            .Invoke(Chart.Point<double, string, string>(x: quantities.Select(quantity => quantity.Value), y: names, MarkerColor: SeriesColor(0)));
        double low = Math.Min(0, quantities.Min(q => q.Low)), high = Math.Max(0, quantities.Max(q => q.High)), margin = 0.05 * (high - low);
        return new Figure(Titled(chart, x, y, StyleParam.AxisType.Linear, StyleParam.AxisType.Category), title, caption)
        {
            Height = 140 + 28 * shown.Count,
            Layout = new
            {
                showlegend = false,
                xaxis = new { zeroline = true, zerolinecolor = FigureStyle.Grey, range = new[] { low - margin, high + margin } },
                yaxis = new { automargin = true, ticks = "" },
                template = Hover("scatter", "%{y}: %{x:.3~g}<extra></extra>"),
            },
        };
    }

    /// <summary>A matrix as colours, such as the router's probabilities of tokens × experts; small matrices show their numbers too.</summary>
    /// <param name="values">The values, <c>[rows, columns]</c>, the first row on top.</param>
    /// <param name="rows">The name of each row.</param>
    /// <param name="columns">The name of each column.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="x">What the columns are.</param>
    /// <param name="y">What the rows are.</param>
    /// <param name="quantity">What the colours mean: quantity and unit.</param>
    /// <exception cref="ArgumentException">An axis or the quantity has no name, or there are not as many names as rows or columns.</exception>
    public static Figure HeatMap(double[,] values, IReadOnlyList<string> rows, IReadOnlyList<string> columns, string title,
        string caption, string x, string y, string quantity)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentException.ThrowIfNullOrWhiteSpace(quantity);
        if (values.GetLength(0) != rows.Count || values.GetLength(1) != columns.Count)
            throw new ArgumentException($"{rows.Count} names of rows and {columns.Count} of columns do not fit values of shape [{values.GetLength(0)}, {values.GetLength(1)}]", nameof(values));

        bool numbers = values.Length <= 120, whole = values.Cast<double>().All(double.IsInteger);
        // Categories of the same name would become one: each is numbered, and the axis shows the names.
        var chart = Chart.Heatmap<double, int, int, string>(
            zData: rows.Select((_, row) => columns.Select((_, column) => values[row, column]).ToArray()).ToArray(),
            X: Enumerable.Range(0, columns.Count).ToArray(), Y: Enumerable.Range(0, rows.Count).ToArray(), XGap: 1, YGap: 1);
        return new Figure(Titled(chart, x, y, StyleParam.AxisType.Linear, StyleParam.AxisType.Linear), title, caption)
        {
            Height = Math.Clamp(110 + 30 * rows.Count, 240, 720),
            Layout = new
            {
                xaxis = NamedAxis(columns),
                yaxis = NamedAxis(rows, reversed: true),
                template = Traces("heatmap", new
                {
                    colorscale = numbers ? FigureStyle.LightScale : (object)"Viridis",
                    colorbar = FigureStyle.ColorBar(quantity),
                    texttemplate = !numbers ? "" : whole ? "%{z:.0f}" : "%{z:.2f}",
                    hovertemplate = $"{y} %{{y}}, {x} %{{x}}<br>{quantity}: %{{z:.4~g}}<extra></extra>",
                }),
            },
        };
    }

    private static object NamedAxis(IReadOnlyList<string> names, bool reversed = false, bool mirrored = false)
    {
        // Where there are many, only some are named.
        var step = Math.Max(1, names.Count / 24);
        int[] named = [.. Enumerable.Range(0, names.Count).Where(i => i % step == 0)];
        return new
        {
            tickvals = named,
            ticktext = named.Select(i => names[i]),
            showgrid = false,
            ticks = "",
            autorange = reversed ? "reversed" : (object)true,
            mirror = mirrored ? "all" : (object)false,
        };
    }

    // Plotly.NET's charts have no hover templates for C#: they stand in the figure's template, for all traces of a kind.
    private static object Traces(string kind, object settings) => new { data = new Dictionary<string, object[]> { [kind] = [settings] } };

    private static object Hover(string kind, string template) => Traces(kind, new { hovertemplate = template });

    // Error bars without caps.
    private static Error Whiskers(IReadOnlyCollection<Estimate> intervals, Color colour) => Error.init(
        Visible: null, Type: StyleParam.ErrorType.Data, Symmetric: false,
        Array: FSharpOption<IEnumerable<double>>.Some(intervals.Select(interval => interval.High - interval.Value)),
        Arrayminus: FSharpOption<IEnumerable<double>>.Some(intervals.Select(interval => interval.Value - interval.Low)),
        ArrayEncoded: null, ArrayminusEncoded: null, Value: null, Valueminus: null, Traceref: null, Tracerefminus: null, Copy_ystyle: null,
        Color: colour, Thickness: 2.0, Width: 0.0);

    private static GenericChart WithWhiskers(GenericChart chart, IReadOnlyCollection<Estimate> intervals, Color colour) =>
        Plotly.NET.Chart.withYError(Whiskers(intervals, colour)).Invoke(chart);

    private static Color SeriesColor(int series) => FigureStyle.ToColor(FigureStyle.Palette[series % FigureStyle.Palette.Count]);

    // Every axis says what it counts and in what unit.
    private static GenericChart Titled(GenericChart chart, string x, string y, StyleParam.AxisType xType, StyleParam.AxisType yType)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(x);
        ArgumentException.ThrowIfNullOrWhiteSpace(y);
        return chart
            .WithXAxisStyle<double, double, string>(TitleText: x, AxisType: xType)
            .WithYAxisStyle<double, double, string>(TitleText: y, AxisType: yType);
    }
}
