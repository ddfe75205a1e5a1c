using System.Globalization;
using Plotly.NET.CSharp;
using Color = Plotly.NET.Color;
using StyleParam = Plotly.NET.StyleParam;

namespace MoeWorkbook;

public static partial class Figures
{
    /// <summary>The roofline of a machine with measured computations on it, both axes logarithmic.</summary>
    /// <param name="roofline">The limits.</param>
    /// <param name="series">Each series' name and points: what a computation moves and computes, and the seconds that it took.</param>
    /// <exception cref="ArgumentException">There is no point, or one moves or computes nothing.</exception>
    public static Figure Roofline(Roofline roofline, IEnumerable<(string Name, IEnumerable<(Workload Work, Estimate Seconds)> Points)> series)
    {
        ArgumentNullException.ThrowIfNull(roofline);
        ArgumentNullException.ThrowIfNull(series);
        var drawn = series.Select(one => (one.Name, Points: one.Points.Select(point =>
        {
            if (!(point.Work.Bytes > 0 && point.Work.Flops > 0)) throw new ArgumentException($"A point of '{one.Name}' moves or computes nothing: it has no place on a roofline.", nameof(series));
            var operations = point.Work.Flops / Billion;
            return (X: point.Work.Flops / point.Work.Bytes,
                Rate: new Estimate(operations / point.Seconds.Value, operations / point.Seconds.High, operations / point.Seconds.Low));
        }).ToList())).ToList();
        var points = drawn.SelectMany(one => one.Points).ToList();
        if (points.Count == 0) throw new ArgumentException("There is no point to draw.", nameof(series));

        // A third of a power of ten around the points and the ridge.
        double left = Math.Min(points.Min(p => p.X), roofline.Ridge) / 2, right = Math.Max(points.Max(p => p.X), roofline.Ridge) * 2;
        double[] corners = [left, roofline.Ridge, right];
        var roof = Chart.Line<double, double, string>(x: corners, y: corners.Select(x => roofline.RateAt(x) / Billion),
            Name: "the machine's limit", LineColor: FigureStyle.ToColor(FigureStyle.Grey), LineWidth: 3);
        var measured = drawn.Select((one, i) => WithWhiskers(
            Chart.Point<double, double, string>(x: one.Points.Select(p => p.X), y: one.Points.Select(p => p.Rate.Value),
                Name: one.Name, MarkerColor: SeriesColor(i)),
            [.. one.Points.Select(p => p.Rate)], SeriesColor(i)));

        double bottom = Math.Log10(Math.Min(points.Min(p => p.Rate.Low),
            roofline.RateAt(left) / Billion)) - 0.1, top = Math.Log10(roofline.FlopsPerSecond / Billion) + 0.25;
        return new Figure(Titled(Chart.Combine([roof, .. measured]), "arithmetic intensity (operations a byte)", "rate (GFLOP/s)", StyleParam.AxisType.Log, StyleParam.AxisType.Log),
            "Measured times under the roofline",
            "On the slope a computation waits for memory, on the flat part for arithmetic; how far a point lies below the line is what the prediction leaves unexplained.")
        {
            Height = 460,
            Layout = new
            {
                xaxis = LogAxis(Math.Log10(left), Math.Log10(right)),
                yaxis = LogAxis(bottom, top),
                annotations = new[]
                {
                    Limit($"{roofline.BytesPerSecond / Billion:F0} GB/s", Math.Sqrt(left * roofline.Ridge)),
                    Limit($"{roofline.FlopsPerSecond / Billion:N0} GFLOP/s", right),
                },
                template = Hover("scatter", "%{fullData.name}<br>%{x:.3~g} operations a byte: %{y:.3~g} GFLOP/s<extra></extra>"),
            },
        };

        object Limit(FormattableString text, double x) =>
            LineName(text.ToString(CultureInfo.InvariantCulture), Math.Log10(x), Math.Log10(roofline.RateAt(x) / Billion), "bottom", xShift: -6);
    }

    /// <summary>How many times as long the dense block of equal total parameters takes as the Mixture-of-Experts layer, against the number of tokens. Dashed:
    /// the ratio of the experts that must be read, E / E(1 − (1 − k/E)^B), and the roofline's prediction where there is one.</summary>
    /// <param name="timings">Measured layers, of one or several routing patterns.</param>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="roofline">Tokens, and the ratio that a <see cref="MoeWorkbook.Roofline"/> predicts for them under uniform routing; null for
    /// none.</param>
    /// <exception cref="ArgumentException">There is no timing.</exception>
    public static Figure AdvantageAgainstBatch(IEnumerable<LayerTiming> timings, int experts, IEnumerable<(double Tokens, double Ratio)>? roofline = null)
    {
        ArgumentNullException.ThrowIfNull(timings);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(experts);
        var patterns = timings.GroupBy(timing => timing.Pattern).Select(group => (Pattern: group.Key, Rows: group.OrderBy(row => row.Tokens).ToList()))
            .ToList();
        if (patterns.Count == 0) throw new ArgumentException("There is no timing to draw.", nameof(timings));
        var longest = patterns.MaxBy(pattern => pattern.Rows.Count).Rows;
        var predicted = Chart.Line<double, double, string>(
            x: longest.Select(row => (double)row.Tokens), y: longest.Select(row => experts / row.ExpectedExperts), Name: "predicted from bytes, uniform",
            LineColor: FigureStyle.ToColor(FigureStyle.Grey), LineDash: StyleParam.DrawingStyle.Dash);
        var limits = roofline?.ToList() ?? [];
        var byRoofline = limits.Count == 0 ? [] : new[]
        {
            Chart.Line<double, double, string>(x: limits.Select(one => one.Tokens), y: limits.Select(one => one.Ratio), Name: "predicted by the roofline, uniform",
                LineColor: FigureStyle.ToColor(FigureStyle.Ink), LineDash: StyleParam.DrawingStyle.Dot),
        };
        var measured = patterns.Select((pattern, i) => WithWhiskers(
            Chart.Line<double, double, string>(x: pattern.Rows.Select(row => (double)row.Tokens), y: pattern.Rows.Select(row => row.AdvantageOverTotal.Value),
                ShowMarkers: true, Name: $"measured, {pattern.Pattern.ToString().ToLowerInvariant()}", LineColor: SeriesColor(i), MarkerColor: SeriesColor(i)),
            [.. pattern.Rows.Select(row => row.AdvantageOverTotal)], SeriesColor(i)));
        var highest = patterns.SelectMany(pattern => pattern.Rows).Select(row => row.AdvantageOverTotal.High)
            .Concat(limits.Select(one => one.Ratio)).Concat(longest.Select(row => experts / row.ExpectedExperts)).Max();
        return new Figure(Titled(Chart.Combine([predicted, .. measured, .. byRoofline]), "tokens computed together", "time of the dense block / time of the layer", StyleParam.AxisType.Log, StyleParam.AxisType.Linear),
            "How the advantage fades with the batch",
            "One token reads only its own experts; many tokens together read them all. Then the layer saves arithmetic, but no longer bytes. Whiskers: 95% intervals over rounds (paired t).")
        {
            Layout = new
            {
                xaxis = new { tickvals = longest.Select(row => row.Tokens), ticktext = longest.Select(row => $"{row.Tokens}") },
                yaxis = new { range = new[] { 0, 1.1 * highest } },
                template = Hover("scatter", "%{fullData.name}<br>%{x} tokens: %{y:.3~g} times<extra></extra>"),
            },
        };
    }

    /// <summary>Recorded times of a layer and of its rivals against the number of tokens, both axes logarithmic.</summary>
    /// <param name="rows">The recorded times, all of one <see cref="LayerBenchmark.Layer"/>; rivals that were left out are left out here.</param>
    /// <param name="machine">What they were measured on, such as <see cref="BenchmarkRecording.Name"/>.</param>
    /// <exception cref="ArgumentException">There is no time, or they belong to several layers.</exception>
    public static Figure LayerTimes(IEnumerable<LayerBenchmark> rows, string machine)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var recorded = rows.OrderBy(row => row.Tokens).ToList();
        if (recorded.Count == 0) throw new ArgumentException("There is no recorded time to draw.", nameof(rows));
        if (recorded.FirstOrDefault(row => row.Layer != recorded[0].Layer) is { } other)
            throw new ArgumentException($"The times are of several layers: {recorded[0].Layer}; {other.Layer}.", nameof(rows));
        (string Name, Func<LayerBenchmark, double?> Time)[] ways =
        [
            ("Mixture of Experts", row => row.Milliseconds), ("dense, equal total", row => row.DenseTotalMilliseconds), ("dense, equal active", row => row.DenseActiveMilliseconds),
            ("PyTorch, loop over experts", row => row.PyTorchMilliseconds), ("PyTorch, grouped", row => row.PyTorchGroupedMilliseconds),
        ];
        var lines =
            ways.Select(way => (way.Name, Points: recorded.Where(row => way.Time(row) is not null).Select(row => ((double)row.Tokens, way.Time(row)!.Value))));
        return Lines(lines.Where(line => line.Points.Any()), $"One layer on {machine}",
            $"{recorded[0].Layer}, recorded. Flat: waiting for weights, which more tokens share. Rising: arithmetic.", "tokens computed together", "time (ms)", logarithmic: true);
    }

    /// <summary>Times as bars, each with its interval (<see cref="Measurement.IntervalName"/>).</summary>
    /// <param name="measurements">The times, such as those of a <see cref="Comparison"/>.</param>
    /// <param name="title">What was timed, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There is no measurement.</exception>
    public static Figure Times(IEnumerable<Measurement> measurements, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        var bars = measurements.ToList();
        if (bars.Count == 0) throw new ArgumentException("There is no measurement to draw.", nameof(measurements));
        var chart = WithWhiskers(
            Chart.Column<double, string, string>(
                values: bars.Select(bar => bar.Milliseconds.Value), Keys: bars.Select(bar => bar.Name)
                    .ToArray(), MarkerColor: FigureStyle.ToColor(FigureStyle.SkyBlue),
                MultiText: bars.Select(bar => $"{bar.Milliseconds}").ToArray(), TextPosition: StyleParam.TextPosition.Inside),
            [.. bars.Select(bar => bar.Milliseconds)], FigureStyle.ToColor(FigureStyle.Ink));
        return new Figure(Titled(chart, "alternative", "time (ms)", StyleParam.AxisType.Category, StyleParam.AxisType.Linear), title, caption)
        {
            Layout = new
            {
                showlegend = false,
                xaxis = new { showgrid = false, ticks = "" },
                yaxis = new { range = new[] { 0, 1.1 * bars.Max(bar => bar.Milliseconds.High) } },
                template = Bars("%{x}: %{y:.4~g} ms<extra></extra>", textAngle: 0),
            },
        };
    }

    /// <summary>Measured times beside the least that each could be, the time axis logarithmic.</summary>
    /// <param name="steps">Each step's name, its measured time, and its limit in seconds.</param>
    /// <param name="title">What was timed, in a few words.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There is no step, or a time or limit is not positive.</exception>
    public static Figure TimesAgainstLimits(IEnumerable<(string Name, Estimate Seconds, double Limit)> steps, string title, string caption)
    {
        ArgumentNullException.ThrowIfNull(steps);
        var rows = steps.Select(step => (Name: step.Name.Trim(), Time: step.Seconds.Times(1000), Limit: 1000 * step.Limit)).ToList();
        if (rows.Count == 0) throw new ArgumentException("There is no step to draw.", nameof(steps));
        foreach (var row in rows)
            if (!(row.Time.Low > 0 && row.Limit > 0)) throw new ArgumentException($"The time or the limit of '{row.Name}' is not positive: it has no place on a logarithmic axis.", nameof(steps));
        string[] names = [.. rows.Select(row => row.Name)];
        var limits = Chart.Point<string, double, string>(x: names, y: rows.Select(row => row.Limit).ToArray(), Name: "limit: bytes / bandwidth",
            MarkerColor: FigureStyle.ToColor(FigureStyle.Grey));
        // From each time a line down to its limit.
        var measured = WithWhiskers(Chart.Point<string, double,
            string>(x: names, y: rows.Select(row => row.Time.Value).ToArray(), Name: "measured", MarkerColor: SeriesColor(0)),
            [.. rows.Select(row => new Estimate(row.Time.Value, Math.Min(row.Limit, row.Time.Value), row.Time.Value))], Color.fromString("#8C8C8C66"));
        double lowest = rows.Min(row => Math.Min(row.Limit, row.Time.Low)), highest = rows.Max(row => Math.Max(row.Limit, row.Time.High));
        return new Figure(Titled(Chart.Combine([limits, measured]), "step", "time (ms)", StyleParam.AxisType.Category, StyleParam.AxisType.Log), title, caption)
        {
            Height = 440,
            Layout = new
            {
                yaxis = LogAxis(Math.Log10(lowest) - 0.15, Math.Log10(highest) + 0.15, dtick: "D2"), // 1, 2, 5, 10, …
                template = Hover("scatter", "%{fullData.name}<br>%{x}: %{y:.3~g} ms<extra></extra>"),
            },
        };
    }
}
