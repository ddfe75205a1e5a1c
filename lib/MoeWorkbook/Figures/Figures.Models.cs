using System.Globalization;
using Plotly.NET.CSharp;
using StyleParam = Plotly.NET.StyleParam;

namespace MoeWorkbook;

public static partial class Figures
{
    private const double Billion = 1e9;

    private static readonly (ModelComponent Component, string Color)[] _components =
    [
        (ModelComponent.Embeddings, FigureStyle.SkyBlue),
        (ModelComponent.Attention, FigureStyle.Orange),
        (ModelComponent.Router, FigureStyle.Black),
        (ModelComponent.RoutedExperts, FigureStyle.Blue),
        (ModelComponent.SharedExperts, FigureStyle.Green),
        (ModelComponent.DenseFeedForward, FigureStyle.Vermilion),
        (ModelComponent.Norms, FigureStyle.Grey),
        (ModelComponent.Head, FigureStyle.Purple),
    ];

    /// <summary>The share of each component in the parameters of several models.</summary>
    /// <param name="models">The models, from top to bottom.</param>
    /// <exception cref="ArgumentException">There is no model.</exception>
    public static Figure ParameterShares(IEnumerable<PublishedModel> models)
    {
        var counted = Counted(models);
        var bars = _components
            .Where(part => counted.Any(m => m.Count.TotalByComponent[part.Component] > 0))
            .Select(part =>
            {
                double[] shares = [.. counted.Select(m => 100.0 * m.Count.TotalByComponent[part.Component] / m.Count.TotalParameters)];
                return Chart.StackedBar<double, string, string>(
                    values: shares, Keys: Names(counted), Name: Tables.Name(part.Component), MarkerColor: FigureStyle.ToColor(part.Color),
                    MultiText: shares.Select(share => share >= 4 ? share.ToString("0", CultureInfo.InvariantCulture) + "%" : "").ToArray());
            });
        var chart = Titled(Chart.Combine(bars), "share of all parameters (%)", "model", StyleParam.AxisType.Linear, StyleParam.AxisType.Category);
        return new Figure(chart, "Where the parameters are",
            "In a dense model most parameters are in the feed-forward blocks; in a Mixture-of-Experts model by far the most are in the routed experts, and the router is a thin line.")
        {
            Height = 150 + 36 * counted.Count,
            Layout = new
            {
                xaxis = new { range = new[] { 0, 100 }, showgrid = false },
                yaxis = new { autorange = "reversed", showgrid = false, ticks = "" },
                template = Bars("%{y}<br>%{fullData.name}: %{x:.3~g}%<extra></extra>", textAngle: 0),
            },
        };
    }

    /// <summary>The share of each component in the parameters of several models of the catalog.</summary>
    /// <param name="ids">Names from <see cref="ModelCatalog.Ids"/>.</param>
    /// <exception cref="ModelConfigException">The catalog has no model of that name.</exception>
    public static Figure ParameterShares(IEnumerable<string> ids) => ParameterShares(ids.Select(ModelCatalog.Find));

    /// <summary>Total against active parameters (all-in) of many models, both axes logarithmic; a dense model lies on the line total = active.</summary>
    /// <param name="models">The models; where two labels need the same room, the earlier model has it.</param>
    /// <exception cref="ArgumentException">There is no model.</exception>
    public static Figure TotalAgainstActive(IEnumerable<PublishedModel> models)
    {
        var points = Counted(models).Select(m => (m.Model,
            X: m.Count.ActiveParameters / Billion, Y: m.Count.TotalParameters / Billion,
            Hover: string.Create(CultureInfo.InvariantCulture,
                $"<b>{m.Model.Name}</b><br>{m.Count.TotalParameters / Billion:#,0.##} billion in total<br>"
                + $"{m.Count.ActiveParameters / Billion:#,0.##} billion active (1 in {(double)m.Count.TotalParameters / m.Count.ActiveParameters:0.#})"))).ToList();
        return ModelScatter(points, [(1, "total = active"), (10, "10 × active"), (100, "100 × active")],
            "Total against active parameters",
            "Dense models lie on the line: every parameter works for every token. Mixture-of-Experts models lie above it: the higher, the more they hold for what one token uses.",
            "active parameters per token (billions)", "total parameters (billions)");
    }

    /// <summary>Memory to hold a model's weights against the bytes of weights read for one token at batch size 1, both axes logarithmic.</summary>
    /// <param name="models">The models; where two labels need the same room, the earlier model has it.</param>
    /// <param name="type">The number format of the weights.</param>
    /// <remarks>Read are the active parameters without the input embedding, of which a token reads one row; a tied matrix is read as the head.</remarks>
    /// <exception cref="ArgumentException">There is no model.</exception>
    public static Figure HeldAgainstRead(IEnumerable<PublishedModel> models, WeightType type = WeightType.BFloat16)
    {
        var points = Counted(models).Select(m =>
        {
            var convention = m.Model.Config.TiedEmbeddings ? ActiveConvention.AllIn : ActiveConvention.WithoutInputEmbedding;
            double hold = WeightBytes.Of(m.Count.TotalParameters, type) / Billion, read = WeightBytes.Of(m.Count.Active(convention), type) / Billion;
            return (m.Model, X: read, Y: hold, Hover: string.Create(CultureInfo.InvariantCulture, $"<b>{m.Model.Name}</b><br>hold {hold:#,0.#} GB<br>read {read:#,0.##} GB a token"));
        }).ToList();
        return ModelScatter(points, [(1, "held = read"), (10, "10 × read"), (100, "100 × read")],
            $"Weights held in memory against weights read per token ({type})",
            "All experts must be held, but one token reads only those it visits: a Mixture-of-Experts model costs the memory of a large model and, at batch size 1, the traffic of a small one.",
            "weights read per token (GB)", "weights held in memory (GB)");
    }

    /// <summary>The active parameters of models under the three conventions, beside the figure that was published.</summary>
    /// <param name="models">The models, from left to right; without a published figure that column is missing.</param>
    /// <exception cref="ArgumentException">There is no model.</exception>
    public static Figure ActiveByConvention(IEnumerable<PublishedModel> models)
    {
        var counted = Counted(models);
        var columns = ((string Name, string Color, Func<(PublishedModel Model, ParameterCount Count), double?> Value)[])
        [
            ("all-in", FigureStyle.Blue, m => m.Count.Active(ActiveConvention.AllIn) / Billion),
            ("without input embedding", FigureStyle.SkyBlue, m => m.Count.Active(ActiveConvention.WithoutInputEmbedding) / Billion),
            ("without both embeddings", FigureStyle.Green, m => m.Count.Active(ActiveConvention.WithoutEmbeddings) / Billion),
            ("published", FigureStyle.Orange, m => m.Model.PublishedActiveBillions),
        ];
        var chart = Chart.Combine(columns.Select(column =>
        {
            var known = counted.Where(m => column.Value(m) is not null).ToList();
            double[] values = [.. known.Select(m => column.Value(m)!.Value)];
            return Chart.Column<double, string, string>(
                values: values, Keys: Names(known), Name: column.Name, MarkerColor: FigureStyle.ToColor(column.Color),
                MultiText: values.Select(v => v.ToString("0.##", CultureInfo.InvariantCulture)).ToArray(), TextPosition: StyleParam.TextPosition.Outside);
        }));
        return new Figure(Titled(chart, "model", "active parameters per token (billions)", StyleParam.AxisType.Category, StyleParam.AxisType.Linear),
            "Three meanings of “active”",
            "The published column agrees with another convention from model to model: before comparing two models, count both the same way.")
        {
            Layout = new
            {
                xaxis = new { showgrid = false, ticks = "", categoryorder = "array", categoryarray = Names(counted) },
                yaxis = new { range = new[] { 0, 1.15 * columns.Max(column => counted.Max(column.Value)) } },
                template = Bars("%{x}<br>%{fullData.name}: %{y:.4~g} billion<extra></extra>", textAngle: -90),
            },
        };
    }

    /// <summary>The active parameters of models of the catalog under the three conventions, beside the figure that was published.</summary>
    /// <param name="ids">Names from <see cref="ModelCatalog.Ids"/>.</param>
    /// <exception cref="ModelConfigException">The catalog has no model of that name.</exception>
    public static Figure ActiveByConvention(IEnumerable<string> ids) => ActiveByConvention(ids.Select(ModelCatalog.Find));

    private static Figure ModelScatter(
        List<(PublishedModel Model, double X, double Y, string Hover)> points, (double Ratio,
            string Name)[] ratios, string title, string caption, string x, string y)
    {
        // A tenth of a power of ten around the points, and room above for labels.
        double left = Math.Log10(points.Min(p => p.X)) - 0.12, right = Math.Log10(points.Max(p => p.X)) + 0.25;
        double bottom = Math.Log10(points.Min(p => Math.Min(p.X, p.Y))) - 0.12, top = Math.Log10(points.Max(p => p.Y)) + 0.2;

        var lines = ratios.Select(line => Chart.Line<double, double, string>(
            x: [Math.Pow(10, left), Math.Pow(10, right)], y: [line.Ratio * Math.Pow(10, left), line.Ratio * Math.Pow(10, right)],
            ShowLegend: false, LineColor: FigureStyle.ToColor(FigureStyle.Grey), LineWidth: line.Ratio == 1 ? 1.5 : 1,
            LineDash: line.Ratio == 1 ? StyleParam.DrawingStyle.Solid : StyleParam.DrawingStyle.Dot));
        var kinds = ((string Name, string Color, StyleParam.MarkerSymbol Symbol, Func<ModelConfig, bool> Holds)[])
        [
            ("dense", FigureStyle.Vermilion, StyleParam.MarkerSymbol.Square, c => !c.IsMixtureOfExperts),
            ("Mixture of Experts", FigureStyle.Blue, StyleParam.MarkerSymbol.Circle, c => c.IsMixtureOfExperts && c.Encoder is null),
            ("Mixture of Experts, encoder and decoder", FigureStyle.Green, StyleParam.MarkerSymbol.Diamond, c => c.IsMixtureOfExperts && c.Encoder is not null),
        ];
        var series = kinds
            .Select(kind => (kind, Members: points.Where(p => kind.Holds(p.Model.Config)).ToList()))
            .Where(s => s.Members.Count > 0)
            .Select(s => Chart.Point<double, double, string>(
                x: s.Members.Select(p => p.X), y: s.Members.Select(p => p.Y), Name: s.kind.Name, MultiText: s.Members.Select(p => p.Hover).ToArray(),
                MarkerColor: FigureStyle.ToColor(s.kind.Color), MarkerSymbol: s.kind.Symbol));

        // Labels are placed for a page of usual width; a wider one only spreads the points. Each line is named where it leaves the plot.
        const int height = 560;
        const double width = 640, inner = height - 110;
        (double X, double Y) Pixel(double logX, double logY) => ((logX - left) / (right - left) * width, (top - logY) / (top - bottom) * inner);
        var names = ratios.Select(line => (line.Name, X: Math.Min(right, top - Math.Log10(line.Ratio)), Y: Math.Min(top, right + Math.Log10(line.Ratio))))
            .ToList();
        var places = LabelPlacement.Place(
            [.. points.Select(p => Pixel(Math.Log10(p.X), Math.Log10(p.Y)))], [.. points.Select(p => p.Model.Name)],
            names.Select(n => (Pixel(n.X, n.Y).X - 45, Pixel(n.X, n.Y).Y + (n.Y < top ? -8 : 8), n.Name)), width, inner);
        var labels = points.Zip(places)
            .Where(p => p.Second is not null)
            .Select(p => Label(p.First.Model.Name, Math.Log10(p.First.X), Math.Log10(p.First.Y), p.Second!.Value))
            .Concat(names.Select(n => LineName(n.Name, n.X, n.Y, n.Y < top ? "bottom" : "top")));

        return new Figure(Titled(Chart.Combine(lines.Concat(series)), x, y, StyleParam.AxisType.Log, StyleParam.AxisType.Log), title, caption)
        {
            Height = height,
            Layout = new
            {
                xaxis = LogAxis(left, right),
                yaxis = LogAxis(bottom, top),
                annotations = labels.ToArray(),
                template = Traces("scatter", new { hoverinfo = "text", marker = new { size = 10, line = new { color = "white", width = 1 } } }),
            },
        };
    }

    // The decades are named, or what dtick says.
    private static object LogAxis(double from, double to, string dtick = "1") =>
        new { range = new[] { from, to }, dtick, exponentformat = "none", separatethousands = true, minor = new { dtick = "L0", ticks = "" } };

    private static object Label(string text, double x, double y, (double X, double Y) place) => new
    {
        text,
        x,
        y,
        ax = place.X,
        ay = place.Y,
        showarrow = true,
        arrowhead = 0,
        arrowwidth = 0.8,
        arrowcolor = FigureStyle.Grey,
        standoff = 5,
        borderpad = 0,
        font = new { size = 12 },
    };

    private static object LineName(string text, double x, double y, string yAnchor, int xShift = 0) =>
        new { text, x, y, showarrow = false, xanchor = "right", yanchor = yAnchor, xshift = xShift, font = new { size = 12, color = FigureStyle.Grey } };

    private static object Bars(string hover, int textAngle) => Traces("bar", new
    {
        hovertemplate = hover,
        insidetextanchor = "middle",
        cliponaxis = false,
        constraintext = "none",
        textangle = textAngle,
        textfont = new { size = 12 },
    });

    private static List<(PublishedModel Model, ParameterCount Count)> Counted(IEnumerable<PublishedModel> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        var counted = models.Select(m => (m, ParameterCount.Of(m.Config))).ToList();
        return counted.Count > 0 ? counted : throw new ArgumentException("there is no model to draw", nameof(models));
    }

    private static string[] Names(IEnumerable<(PublishedModel Model, ParameterCount Count)> counted) => [.. counted.Select(m => m.Model.Name)];
}
