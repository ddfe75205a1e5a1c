using System.Globalization;
using Plotly.NET.CSharp;
using GenericChart = Plotly.NET.GenericChart;
using StyleParam = Plotly.NET.StyleParam;

namespace MoeWorkbook;

public static partial class Figures
{
    /// <summary>The load of every expert of one layer over a training, one chart a run: each column is a stretch of the training, and an even load has one
    /// colour.</summary>
    /// <param name="runs">The runs, all with as many experts; each chart bears the run's name.</param>
    /// <param name="layer">The number of the Mixture-of-Experts layer, from 0.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There is no run, one has no such layer, or they differ in the number of experts.</exception>
    public static Figure LoadOverTraining(IEnumerable<TrainingRun> runs, int layer, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var shown = runs.ToList();
        foreach (var run in shown)
        {
            if (layer < 0 || layer >= run.Stages[0].Load.Count) throw new ArgumentException($"{run.Name} has {run.Stages[0].Load.Count} Mixture-of-Experts layers; there is none of number {layer}.", nameof(layer));
            if (run.Stages[0].Load[layer].Count != shown[0].Stages[0].Load[layer].Count)
                throw new ArgumentException($"{run.Name} and {shown[0].Name} differ in their number of experts.", nameof(runs));
        }

        if (shown.Count == 0) throw new ArgumentException("There is no run to draw.", nameof(runs));
        var experts = shown[0].Stages[0].Load[layer].Count;
        var panels = shown.Select(run => (run.Name, Chart.Heatmap<double, int, int, string>(
            zData: Enumerable.Range(0, experts).Select(expert => run.Stages.Select(stage => experts * stage.LoadOf(layer).Shares[expert]).ToArray()).ToArray(),
            X: run.Stages.Select(stage => stage.Step).ToArray(), Y: Enumerable.Range(0, experts).ToArray()))).ToList();
        // Dark is dead, one is even; what is above four times the even share looks the same.
        return Panels(panels, "training step", "expert", new { showgrid = false, mirror = "all", nticks = 5 },
            NamedAxis(Numbers(experts), reversed: true, mirrored: true), Math.Clamp(18 * experts, 120, 320),
            new()
            {
                ["coloraxis"] = new { cmin = 0, cmax = Math.Min(4, experts), colorscale = "Viridis", colorbar = FigureStyle.ColorBar("load / even load") },
                ["template"] = Traces("heatmap", new { coloraxis = "coloraxis", hovertemplate = "step %{x}, expert %{y}: %{z:.3~g} times the even load<extra></extra>" }),
            }, title, caption);
    }

    /// <summary>Anything that training steps tell, over the training: the mean over the seeds of each experiment as a line, and from the lowest to the highest
    /// seed as a band.</summary>
    /// <param name="runs">The runs; those of one name are the seeds of one line.</param>
    /// <param name="measure">What is read off a stage of a run, such as <c>stage => stage.LoadOf(0).EffectiveExperts</c>.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="y">The vertical axis: quantity and unit.</param>
    /// <exception cref="ArgumentException">There is no run, or the seeds of one name differ in their number of stages.</exception>
    public static Figure OverTraining(IEnumerable<TrainingRun> runs, Func<TrainingStep, double> measure, string title, string caption, string y)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(measure);
        return FromZero(Bands(runs.GroupBy(run => run.Name).Select(group => (group.Key,
            group.Select(run => run.Stages.Select(stage => ((double)stage.Step, measure(stage))).ToList()).ToList())), title, caption, "training step", y));
    }

    /// <summary>Validation loss against what was spent: the mean over the seeds of each experiment as a line, and from the lowest to the highest seed as a
    /// band. The first tenth of the validations is left out: its fall would flatten all that follows.</summary>
    /// <param name="runs">The runs; those of one name are the seeds of one line.</param>
    /// <param name="cost">What counts as spent.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <param name="entropyFloor">The entropy of the source, in nats a byte, as a dashed line; null for none.</param>
    /// <exception cref="ArgumentException">There is no run, or the seeds of one name were validated at different steps.</exception>
    public static Figure LossCurves(IEnumerable<TrainingRun> runs, TrainingCost cost, string title, string caption, double? entropyFloor = null)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var x = cost switch { TrainingCost.Steps => "training step", TrainingCost.Flops => "operations (FLOP)", _ => "training time (s)" };
        var curves = runs.GroupBy(run => run.Name)
            .Select(group => (group.Key, group.Select(run => run.Curve(cost).Skip(run.Validations.Count / 10).ToList()).ToList()));
        return Bands(curves, title, caption, x, "validation loss (nats a byte)", entropyFloor);
    }

    /// <summary>How much the experts of each layer tell about the domain beyond the byte, beside what chance gives, with 95% intervals.</summary>
    /// <param name="layers">The measure of each layer, in order.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There is no layer.</exception>
    public static Figure Specialization(IReadOnlyList<Specialization> layers, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.Count == 0) throw new ArgumentException("There is no layer to draw.", nameof(layers));
        const double shift = 0.18;
        (string Name, string Color, double Shift, Func<Specialization, Estimate> Of)[] series =
            [("the experts", FigureStyle.SkyBlue, -shift, layer => layer.GivenByte), ("shuffled domains", FigureStyle.Grey, shift, layer => layer.Shuffled)];
        var chart = Chart.Combine(series.Select(one => WithWhiskers(Chart.Column<double, double, string>(
            values: layers.Select(layer => 100 * one.Of(layer).Value), Keys: layers.Select((_, i) => i + one.Shift)
                .ToArray(), Name: one.Name, MarkerColor: FigureStyle.ToColor(one.Color)),
            [.. layers.Select(layer => one.Of(layer).Times(100))], FigureStyle.ToColor(FigureStyle.Ink))));
        return new Figure(Titled(chart, "layer", "uncertainty about the domain removed (%)", StyleParam.AxisType.Linear, StyleParam.AxisType.Linear), title, caption)
        {
            Layout = new
            {
                barmode = "overlay",
                xaxis = NamedAxis(Numbers(layers.Count)),
                template = Traces("bar", new { width = 2 * shift, hovertemplate = "%{fullData.name}: %{y:.3~g}%<extra></extra>" }),
            },
        };
    }

    /// <summary>The rows of a router in the plane in which they differ most, and where the tokens of each domain lie in it.</summary>
    /// <param name="directions">The directions.</param>
    /// <param name="domains">The name of each domain and the mean of its tokens' logits (see <see cref="RoutedText.MeanLogits"/>); empty for the experts
    /// alone.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <exception cref="ArgumentException">A domain has not one logit for each expert.</exception>
    public static Figure RouterDirections(RouterDirections directions, IEnumerable<(string Name, IReadOnlyList<double> MeanLogits)> domains, string title)
    {
        ArgumentNullException.ThrowIfNull(directions);
        ArgumentNullException.ThrowIfNull(domains);
        var placed = domains.Select(domain => (domain.Name, Place: directions.PlaceOf(domain.MeanLogits))).ToList();
        // Rows and hidden states have lengths of their own; only directions can be compared.
        var scale = placed.Count == 0 ? 1 : Longest(directions.Experts) / Math.Max(1e-12, Longest(placed.Select(domain => domain.Place)));
        var charts = new List<GenericChart>
        {
            Chart.Point<double, double, string>(x: directions.Experts.Select(p => p.X), y: directions.Experts.Select(p => p.Y), Name: "expert's row of the router",
                MultiText: directions.Experts.Select((_, e) => $"{e}").ToArray(), TextPosition: StyleParam.TextPosition.TopCenter, MarkerColor: SeriesColor(0)),
        };
        if (placed.Count > 0)
        {
            charts.Add(Chart.Point<double, double, string>(x: placed.Select(p => scale * p.Place.X), y: placed.Select(p => scale * p.Place.Y), Name: "mean of a domain's tokens",
                MultiText: placed.Select(p => p.Name).ToArray(), TextPosition: StyleParam.TextPosition.BottomCenter,
                MarkerColor: SeriesColor(1), MarkerSymbol: StyleParam.MarkerSymbol.Diamond));
        }

        return new Figure(Titled(Chart.Combine(charts), AxisTitle(1, directions.Explained.X), AxisTitle(2, directions.Explained.Y),
            StyleParam.AxisType.Linear, StyleParam.AxisType.Linear), title,
            placed.Count == 0 ? "Experts that lie together are chosen by similar tokens." : "A domain prefers the experts that lie in its direction from the centre; only directions count, the lengths of the two kinds of points are made alike.")
        {
            Height = 480,
            Layout = new
            {
                xaxis = new { zeroline = true, zerolinecolor = "#B8BEC4" },
                yaxis = new { zeroline = true, zerolinecolor = "#B8BEC4", scaleanchor = "x" },
                template = Hover("scatter", "%{text}<extra></extra>"),
            },
        };

        static double Longest(IEnumerable<(double X, double Y)> points) => points.Max(p => Math.Sqrt(p.X * p.X + p.Y * p.Y));
        static string AxisTitle(int axis, double share) => string.Create(CultureInfo.InvariantCulture, $"axis {axis} ({100 * share:F0}% of the rows' variance)");
    }

    /// <summary>What each domain loses when an expert is taken away, experts × domains.</summary>
    /// <param name="ablation">The measurement.</param>
    /// <param name="domains">The name of each domain.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There are not as many names as domains.</exception>
    public static Figure Ablation(ExpertAblation ablation, IReadOnlyList<string> domains, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(ablation);
        ArgumentNullException.ThrowIfNull(domains);
        var rise = new double[ablation.Losses.Count, ablation.Whole.Count];
        for (var expert = 0; expert < rise.GetLength(0); expert++)
        {
            for (var domain = 0; domain < rise.GetLength(1); domain++) rise[expert, domain] = ablation.Rise(expert, domain);
        }

        return HeatMap(rise, Numbers(ablation.Losses.Count), domains, title, caption, "domain", "expert taken away", "rise (nats a byte)");
    }

    /// <summary>For each name the mean of its curves as a line, and from the lowest to the highest as a band.</summary>
    private static Figure Bands(IEnumerable<(string Name, List<List<(double X, double Y)>> Curves)> series, string title, string caption,
        string x, string y, double? floor = null)
    {
        var charts = new List<GenericChart>();
        var (names, right) = (0, 0.0);
        foreach (var (i, (name, curves)) in series.Index())
        {
            if (curves.FirstOrDefault(curve => curve.Count != curves[0].Count) is { } other)
                throw new ArgumentException($"The seeds of {name} have {curves[0].Count} and {other.Count} points.", nameof(series));
            int[] points = [.. Enumerable.Range(0, curves[0].Count)];
            double[] at = [.. points.Select(p => curves.Average(curve => curve[p].X))];
            if (curves.Count > 1)
            {
                double[] lowest = [.. points.Select(p => curves.Min(curve => curve[p].Y))], highest = [.. points.Select(p => curves.Max(curve => curve[p].Y))];
                charts.Add(Chart.Line<double, double,
                    string>(x: [.. at, .. at.Reverse()], y: [.. highest, .. lowest.Reverse()], ShowMarkers: false, ShowLegend: false,
                    LineWidth: 0, LineColor: SeriesColor(i), Fill: StyleParam.Fill.ToSelf, FillColor: Tint(i)));
            }

            charts.Add(Chart.Line<double, double,
                string>(x: at, y: points.Select(p => curves.Average(curve => curve[p].Y)), ShowMarkers: false, Name: name, LineColor: SeriesColor(i)));
            (names, right) = (names + 1, Math.Max(right, at.DefaultIfEmpty().Max()));
        }

        if (names == 0) throw new ArgumentException("There is no run to draw.", nameof(series));
        if (floor is { } entropy)
            charts.Add(Chart.Line<double, double, string>(x: [0, right], y: [entropy, entropy], ShowMarkers: false, Name: "entropy of the source",
                LineColor: FigureStyle.ToColor(FigureStyle.Grey), LineDash: StyleParam.DrawingStyle.Dash));
        return new Figure(Titled(Chart.Combine(charts), x, y, StyleParam.AxisType.Linear, StyleParam.AxisType.Linear), title, caption)
        {
            Layout = new
            {
                showlegend = names > 1 || floor is not null,
                xaxis = new { rangemode = "tozero" },
                template = Hover("scatter", $"%{{fullData.name}}<br>{x} %{{x:.4~s}}: %{{y:.4~g}}<extra></extra>"),
            },
        };
    }

    private static Plotly.NET.Color Tint(int series)
    {
        var hex = FigureStyle.Palette[series % FigureStyle.Palette.Count];
        int Part(int at) => int.Parse(hex.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return Plotly.NET.Color.fromARGB(48, Part(1), Part(3), Part(5));
    }
}
