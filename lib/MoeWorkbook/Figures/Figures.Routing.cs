using System.Globalization;
using Plotly.NET.CSharp;
using static TorchSharp.torch;
using GenericChart = Plotly.NET.GenericChart;
using StyleParam = Plotly.NET.StyleParam;

namespace MoeWorkbook;

public static partial class Figures
{
    /// <summary>Which expert computes which token: the combine weights of one decision as colours, tokens × experts.</summary>
    /// <param name="routing">The decision; assignments that are dropped are left out.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="tokens">The name of each token; null for their numbers.</param>
    /// <exception cref="ArgumentException">There are not as many names as tokens.</exception>
    public static Figure CombineWeights(RoutingDecision routing, string title, string caption, IReadOnlyList<string>? tokens = null) =>
        CombineWeights([("", routing)], title, caption, tokens);

    /// <summary>Several decisions about the same tokens side by side, each as in
    /// <see cref="CombineWeights(RoutingDecision, string, string, IReadOnlyList{string}?)"/>, on one scale of colours.</summary>
    /// <param name="routings">The name of each router, and what it decided; assignments that are dropped are left out.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="tokens">The name of each token; null for their numbers.</param>
    /// <exception cref="ArgumentException">There is no decision, they differ in the number of tokens or experts, or there are not as many names as
    /// tokens.</exception>
    public static Figure CombineWeights(IEnumerable<(string Name, RoutingDecision Routing)> routings, string title,
        string caption, IReadOnlyList<string>? tokens = null)
    {
        ArgumentNullException.ThrowIfNull(routings);
        var panels = routings.Select(panel => (panel.Name, Values: KeptWeights(panel.Routing))).ToList();
        var largest = panels.SelectMany(panel => panel.Values.Cast<double>()).Where(double.IsFinite).DefaultIfEmpty(1).Max();
        object scale = ShowsNumbers(panels) ? FigureStyle.LightScale : "Viridis";
        return TokensByExperts(panels, tokens, "combine weight", scale, 0, Math.Max(1, largest), title, caption);
    }

    /// <summary>The gradient of a loss with respect to router logits as colours, tokens × experts; a logit that no gradient reaches stays blank.</summary>
    /// <remarks>What is below a millionth of the largest gradient is rounding, and counts as none.</remarks>
    /// <param name="gradients">The name of each router, and the gradient <c>[tokens, experts]</c>.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="tokens">The name of each token; null for their numbers.</param>
    /// <exception cref="ArgumentException">There is no gradient, one is no matrix, they differ in shape, or there are not as many names as tokens.</exception>
    public static Figure LogitGradients(IEnumerable<(string Name, Tensor Gradient)> gradients, string title,
        string caption, IReadOnlyList<string>? tokens = null)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        var panels = gradients.Select(panel => (panel.Name, Values: Matrix(panel.Gradient))).ToList();
        var largest = panels.SelectMany(panel => panel.Values.Cast<double>()).Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty().Max();
        if (largest == 0) largest = 1;
        foreach (var (_, values) in panels)
        {
            for (var token = 0; token < values.GetLength(0); token++)
            {
                for (var expert = 0; expert < values.GetLength(1); expert++)
                    if (Math.Abs(values[token, expert]) < 1e-6 * largest) values[token, expert] = double.NaN;
            }
        }

        return TokensByExperts(panels, tokens, "gradient", FigureStyle.LightDivergingScale, -largest, largest, title, caption);
    }

    /// <summary>How many tokens each expert computes, one chart a router, with a line at the mean.</summary>
    /// <param name="routings">The name of each router, and what it decided; assignments that are dropped are left out.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There is no decision, or they differ in the number of experts.</exception>
    public static Figure ExpertLoads(IEnumerable<(string Name, RoutingDecision Routing)> routings, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(routings);
        var panels = routings.Select(panel => (panel.Name, Load: KeptLoad(panel.Routing))).ToList();
        if (panels.Select(panel => panel.Load.Length).Distinct().Count() > 1)
            throw new ArgumentException($"the routers have different numbers of experts: {string.Join(", ", panels.Select(panel => panel.Load.Length))}", nameof(routings));
        var charts = panels.Select(panel =>
        {
            int[] experts = [.. Enumerable.Range(0, panel.Load.Length)];
            var mean = panel.Load.Average();
            return (panel.Name, Chart.Combine(new[]
            {
                Chart.Column<double, int, string>(values: panel.Load, Keys: experts, MarkerColor: FigureStyle.ToColor(FigureStyle.Blue), ShowLegend: false),
                Chart.Line<double, double, string>(x: [-0.5, experts.Length - 0.5], y: [mean, mean], ShowMarkers: false, ShowLegend: false,
                    LineColor: FigureStyle.ToColor(FigureStyle.Vermilion)),
            }));
        }).ToList();
        var highest = Math.Max(1, panels.SelectMany(panel => panel.Load).DefaultIfEmpty(1).Max());
        return Panels(charts, "expert", "tokens",
            new { range = new[] { -0.5, panels.Select(panel => panel.Load.Length).FirstOrDefault() - 0.5 }, showgrid = false, dtick = 1 },
            new { range = new[] { 0, 1.05 * highest } }, 150, [], title, caption);
    }

    /// <summary>Where cells are few, each shows its number.</summary>
    private static bool ShowsNumbers(List<(string Name, double[,] Values)> panels) => panels.Sum(panel => panel.Values.GetLength(1)) <= 16;

    private static Figure TokensByExperts(
        List<(string Name, double[,] Values)> panels, IReadOnlyList<string>? tokens,
        string quantity, object scale, double low, double high, string title, string caption)
    {
        if (panels.Count == 0)
            throw new ArgumentException("there is nothing to draw", nameof(panels));
        int rows = panels[0].Values.GetLength(0), columns = panels[0].Values.GetLength(1);
        foreach (var (name, values) in panels)
        {
            if (values.GetLength(0) != rows || values.GetLength(1) != columns)
                throw new ArgumentException($"{name} has {values.GetLength(0)} tokens and {values.GetLength(1)} experts where {panels[0].Name} has {rows} and {columns}", nameof(panels));
        }

        tokens ??= Numbers(rows);
        if (tokens.Count != rows)
            throw new ArgumentException($"there are {tokens.Count} names for {rows} tokens", nameof(tokens));

        var charts = panels.Select(panel => (panel.Name, Chart.Heatmap<double, int, int, string>(
            zData: Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, columns).Select(column => panel.Values[row, column]).ToArray()).ToArray(),
            X: Enumerable.Range(0, columns).ToArray(), Y: Enumerable.Range(0, rows).ToArray(), XGap: 1, YGap: 1))).ToList();
        var numbers = ShowsNumbers(panels);
        return Panels(charts, "expert", "token", NamedAxis(Numbers(columns), mirrored: true), NamedAxis(tokens, reversed: true, mirrored: true),
            Math.Clamp((panels.Count > 3 ? 14 : 28) * rows, 120, 400),
            new()
            {
                ["coloraxis"] = new { cmin = low, cmax = high, colorscale = scale, colorbar = FigureStyle.ColorBar(quantity) },
                ["template"] = new
                {
                    // Cells without a value show this ground. plotly.js writes a white 0 into them, which white hides.
                    layout = new { plot_bgcolor = numbers ? "white" : "#EEF0F2" },
                    data = new
                    {
                        heatmap = new[]
                        {
                            new
                            {
                                coloraxis = "coloraxis",
                                hoverongaps = false,
                                texttemplate = numbers ? "%{z:.2f}" : "",
                                hovertemplate = $"token %{{y}}, expert %{{x}}<br>{quantity}: %{{z:.3~g}}<extra></extra>",
                            },
                        },
                    },
                },
            }, title, caption);
    }

    /// <summary>Charts with the same axes, row by row: the axes stand once, at the left and at the bottom.</summary>
    private static Figure Panels(List<(string Name, GenericChart Chart)> panels, string x, string y, object xAxis, object yAxis, int panelHeight,
        Dictionary<string, object> layout, string title, string caption)
    {
        if (panels.Count == 0)
            throw new ArgumentException("there is nothing to draw", nameof(panels));
        int columns = panels.Count <= 3 ? panels.Count : (int)Math.Ceiling(Math.Sqrt(panels.Count)), rows = (panels.Count + columns - 1) / columns;
        var titled = panels.Select(panel => Titled(panel.Chart, x, y, StyleParam.AxisType.Linear, StyleParam.AxisType.Linear));
        // The gap between two rows holds the title of the lower one.
        var gap = 34.0 / (panelHeight + 34);
        var chart = panels.Count == 1 ? titled.Single()
            : Chart.Grid(titled, rows, columns, SubPlotTitles: panels.Select(panel => panel.Name).ToArray(),
                Pattern: StyleParam.LayoutGridPattern.Coupled, XGap: 0.06, YGap: gap);
        for (var column = 1; column <= columns; column++)
            layout[Numbered("xaxis", column)] = xAxis;
        for (var row = 1; row <= rows; row++)
            layout[Numbered("yaxis", row)] = yAxis;
        return new Figure(chart, title, caption) { Height = rows * panelHeight + (rows - 1) * 34 + 100, Layout = layout };

        static string Numbered(string axis, int number) => number == 1 ? axis : axis + number.ToString(CultureInfo.InvariantCulture);
    }

    private static string[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The combine weights that are computed, <c>[tokens, experts]</c>; NaN where there is none.</summary>
    private static double[,] KeptWeights(RoutingDecision routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        var values = new double[routing.TokenCount, routing.ExpertCount];
        for (var token = 0; token < values.GetLength(0); token++)
        {
            for (var expert = 0; expert < values.GetLength(1); expert++) values[token, expert] = double.NaN;
        }

        using var scope = NewDisposeScope();
        var (tokens, experts) = (routing.Tokens.cpu().data<long>().ToArray(), routing.Experts.cpu().data<long>().ToArray());
        var (weights, kept) = (routing.Weights.detach().to(ScalarType.Float64).cpu().data<double>().ToArray(), routing.Kept.cpu().data<bool>().ToArray());
        for (var i = 0; i < tokens.Length; i++)
        {
            if (kept[i]) values[tokens[i], experts[i]] = weights[i];
        }

        return values;
    }

    private static double[] KeptLoad(RoutingDecision routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        using var scope = NewDisposeScope();
        return [.. routing.Load(keptOnly: true).cpu().data<long>().ToArray().Select(count => (double)count)];
    }

    private static double[,] Matrix(Tensor tensor)
    {
        Expect.Shape(tensor, nameof(tensor), ("tokens", -1), ("experts", -1));
        using var scope = NewDisposeScope();
        var flat = tensor.detach().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        var values = new double[tensor.shape[0], tensor.shape[1]];
        for (var i = 0; i < flat.Length; i++) values[i / tensor.shape[1], i % tensor.shape[1]] = flat[i];
        return values;
    }
}
