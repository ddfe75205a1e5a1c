using System.Globalization;
using System.Text.Json.Nodes;

namespace Plotly.NET.CSharp;

public static class Chart
{
    public static GenericChart Scatter<XType, YType, TextType>(
        IEnumerable<XType> x, IEnumerable<YType> y, StyleParam.Mode mode,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<StyleParam.TextPosition> TextPosition = default, Optional<IEnumerable<StyleParam.TextPosition>> MultiTextPosition = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default,
        Optional<StyleParam.MarkerSymbol> MarkerSymbol = default, Optional<IEnumerable<StyleParam.MarkerSymbol>> MultiMarkerSymbol = default,
        Optional<Color> LineColor = default, Optional<double> LineWidth = default, Optional<StyleParam.DrawingStyle> LineDash = default,
        Optional<string> StackGroup = default, Optional<StyleParam.Orientation> Orientation = default,
        Optional<StyleParam.Fill> Fill = default, Optional<Color> FillColor = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        One(new JsonObject { ["type"] = "scatter", ["mode"] = mode.ToString(), ["x"] = Json.Node(x), ["y"] = Json.Node(y) }
            .With("name", Name).With("showlegend", ShowLegend).With("opacity", Opacity).WithIn("marker", "opacity", MultiOpacity)
            .With("text", Text, MultiText).With("textposition", TextPosition, MultiTextPosition)
            .WithIn("marker", "color", MarkerColor).WithIn("marker", "colorscale", MarkerColorScale).WithIn("marker", "symbol", MarkerSymbol, MultiMarkerSymbol)
            .WithIn("line", "color", LineColor).WithIn("line", "width", LineWidth).WithIn("line", "dash", LineDash)
            .With("stackgroup", StackGroup).With("orientation", Orientation).With("fill", Fill).With("fillcolor", FillColor));

    public static GenericChart Point<XType, YType, TextType>(
        IEnumerable<XType> x, IEnumerable<YType> y,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<StyleParam.TextPosition> TextPosition = default, Optional<IEnumerable<StyleParam.TextPosition>> MultiTextPosition = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default,
        Optional<StyleParam.MarkerSymbol> MarkerSymbol = default, Optional<IEnumerable<StyleParam.MarkerSymbol>> MultiMarkerSymbol = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        Scatter(x, y, TextPosition.IsSome || MultiTextPosition.IsSome ? StyleParam.Mode.Markers_Text : StyleParam.Mode.Markers,
            Name, ShowLegend, Opacity, MultiOpacity, Text, MultiText, TextPosition, MultiTextPosition, MarkerColor, MarkerColorScale, MarkerSymbol, MultiMarkerSymbol);

    public static GenericChart Line<XType, YType, TextType>(
        IEnumerable<XType> x, IEnumerable<YType> y,
        Optional<bool> ShowMarkers = default, Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<StyleParam.TextPosition> TextPosition = default, Optional<IEnumerable<StyleParam.TextPosition>> MultiTextPosition = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default,
        Optional<StyleParam.MarkerSymbol> MarkerSymbol = default, Optional<IEnumerable<StyleParam.MarkerSymbol>> MultiMarkerSymbol = default,
        Optional<Color> LineColor = default, Optional<double> LineWidth = default, Optional<StyleParam.DrawingStyle> LineDash = default,
        Optional<string> StackGroup = default, Optional<StyleParam.Orientation> Orientation = default,
        Optional<StyleParam.Fill> Fill = default, Optional<Color> FillColor = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        Scatter(x, y, LineMode(ShowMarkers, TextPosition.IsSome || MultiTextPosition.IsSome),
            Name, ShowLegend, Opacity, MultiOpacity, Text, MultiText, TextPosition, MultiTextPosition, MarkerColor, MarkerColorScale, MarkerSymbol, MultiMarkerSymbol,
            LineColor, LineWidth, LineDash, StackGroup, Orientation, Fill, FillColor);

    public static GenericChart Area<XType, YType, TextType>(
        IEnumerable<XType> x, IEnumerable<YType> y,
        Optional<bool> ShowMarkers = default, Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default,
        Optional<Color> LineColor = default, Optional<double> LineWidth = default, Optional<StyleParam.DrawingStyle> LineDash = default,
        Optional<string> StackGroup = default, Optional<Color> FillColor = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        Scatter<XType, YType, TextType>(x, y, LineMode(ShowMarkers, text: false), Name: Name, ShowLegend: ShowLegend, Opacity: Opacity,
            LineColor: LineColor, LineWidth: LineWidth, LineDash: LineDash, StackGroup: StackGroup, Fill: StyleParam.Fill.ToZero_y, FillColor: FillColor);

    public static GenericChart Range<XType, YType, TextType>(
        IEnumerable<XType> x, IEnumerable<YType> y, IEnumerable<YType> upper, IEnumerable<YType> lower, StyleParam.Mode mode,
        Optional<string> Name = default, Optional<string> GroupName = default, Optional<bool> ShowLegend = default,
        Optional<Color> LineColor = default, Optional<double> LineWidth = default, Optional<StyleParam.DrawingStyle> LineDash = default,
        Optional<Color> RangeColor = default, Optional<string> LowerName = default, Optional<string> UpperName = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible
    {
        Optional<string> group = GroupName.IsSome ? GroupName.Value : "Range";
        return combine(
            Scatter<XType, YType, TextType>(x, lower, mode, Name: LowerName.IsSome ? LowerName.Value : "lower", FillColor: RangeColor, LineColor: RangeColor),
            Scatter<XType, YType, TextType>(x, upper, mode, Name: UpperName.IsSome ? UpperName.Value : "upper", FillColor: RangeColor, LineColor: RangeColor, Fill: StyleParam.Fill.ToNext_y),
            Scatter<XType, YType, TextType>(x, y, mode, Name: Name, LineColor: LineColor, LineWidth: LineWidth, LineDash: LineDash))
            .MapTraces(trace => trace.With("legendgroup", group).With("showlegend", ShowLegend));

        static GenericChart combine(params GenericChart[] charts) => Combine(charts);
    }

    public static GenericChart Bar<ValuesType, KeysType, TextType>(
        IEnumerable<ValuesType> values, Optional<IEnumerable<KeysType>> Keys = default,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default, Optional<StyleParam.TextPosition> TextPosition = default)
        where ValuesType : IConvertible
        where KeysType : IConvertible
        where TextType : IConvertible =>
        Bars(["x", "y", "h"], values, Keys, Name, ShowLegend, Opacity, MultiOpacity, Text, MultiText, MarkerColor, MarkerColorScale, TextPosition);

    public static GenericChart StackedBar<ValuesType, KeysType, TextType>(
        IEnumerable<ValuesType> values, Optional<IEnumerable<KeysType>> Keys = default,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default, Optional<StyleParam.TextPosition> TextPosition = default)
        where ValuesType : IConvertible
        where KeysType : IConvertible
        where TextType : IConvertible =>
        Stacked(Bar(values, Keys, Name, ShowLegend, Opacity, MultiOpacity, Text, MultiText, MarkerColor, MarkerColorScale, TextPosition));

    public static GenericChart Column<ValuesType, KeysType, TextType>(
        IEnumerable<ValuesType> values, Optional<IEnumerable<KeysType>> Keys = default,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default, Optional<StyleParam.TextPosition> TextPosition = default)
        where ValuesType : IConvertible
        where KeysType : IConvertible
        where TextType : IConvertible =>
        Bars(["y", "x", "v"], values, Keys, Name, ShowLegend, Opacity, MultiOpacity, Text, MultiText, MarkerColor, MarkerColorScale, TextPosition);

    public static GenericChart StackedColumn<ValuesType, KeysType, TextType>(
        IEnumerable<ValuesType> values, Optional<IEnumerable<KeysType>> Keys = default,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default, Optional<IEnumerable<double>> MultiOpacity = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<Color> MarkerColor = default, Optional<StyleParam.Colorscale> MarkerColorScale = default, Optional<StyleParam.TextPosition> TextPosition = default)
        where ValuesType : IConvertible
        where KeysType : IConvertible
        where TextType : IConvertible =>
        Stacked(Column(values, Keys, Name, ShowLegend, Opacity, MultiOpacity, Text, MultiText, MarkerColor, MarkerColorScale, TextPosition));

    public static GenericChart Histogram<XType, YType, TextType>(
        Optional<IEnumerable<XType>> X = default, Optional<IEnumerable<YType>> Y = default, Optional<StyleParam.Orientation> Orientation = default,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default,
        Optional<StyleParam.HistFunc> HistFunc = default, Optional<StyleParam.HistNorm> HistNorm = default, Optional<int> NBinsX = default, Optional<int> NBinsY = default,
        Optional<Color> MarkerColor = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        One(new JsonObject { ["type"] = "histogram" }
            .With("x", X).With("y", Y).With("orientation", Orientation).With("name", Name).With("showlegend", ShowLegend).With("opacity", Opacity)
            .With("histfunc", HistFunc).With("histnorm", HistNorm).With("nbinsx", NBinsX).With("nbinsy", NBinsY).WithIn("marker", "color", MarkerColor));

    public static GenericChart BoxPlot<XType, YType, TextType>(
        Optional<IEnumerable<XType>> X = default, Optional<IEnumerable<YType>> Y = default,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<Color> FillColor = default, Optional<Color> MarkerColor = default,
        Optional<double> Opacity = default, Optional<StyleParam.Orientation> Orientation = default)
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        One(new JsonObject { ["type"] = "box" }
            .With("x", X).With("y", Y).With("name", Name).With("showlegend", ShowLegend).With("fillcolor", FillColor)
            .WithIn("marker", "color", MarkerColor).With("opacity", Opacity).With("orientation", Orientation));

    public static GenericChart Heatmap<ZType, XType, YType, TextType>(
        IEnumerable<IEnumerable<ZType>> zData,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default,
        Optional<IEnumerable<XType>> X = default, Optional<int> XGap = default, Optional<IEnumerable<YType>> Y = default, Optional<int> YGap = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<StyleParam.Colorscale> ColorScale = default, Optional<bool> ShowScale = default, Optional<bool> ReverseScale = default,
        Optional<bool> Transpose = default, Optional<bool> ReverseYAxis = default)
        where ZType : IConvertible
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible
    {
        var chart = One(new JsonObject { ["type"] = "heatmap", ["z"] = Json.Node(zData) }
            .With("name", Name).With("showlegend", ShowLegend).With("opacity", Opacity)
            .With("x", X).With("xgap", XGap).With("y", Y).With("ygap", YGap).With("text", Text, MultiText)
            .With("colorscale", ColorScale).With("showscale", ShowScale).With("reversescale", ReverseScale).With("transpose", Transpose));
        return ReverseYAxis is { IsSome: true, Value: true } ? chart.MapLayout(layout => layout.Child("yaxis")["autorange"] = "reversed") : chart;
    }

    public static GenericChart AnnotatedHeatmap<ZType, XType, YType, TextType>(
        IEnumerable<IEnumerable<ZType>> zData, IEnumerable<IEnumerable<string>> annotationText,
        Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<double> Opacity = default,
        Optional<IEnumerable<XType>> X = default, Optional<int> XGap = default, Optional<IEnumerable<YType>> Y = default, Optional<int> YGap = default,
        Optional<TextType> Text = default, Optional<IEnumerable<TextType>> MultiText = default,
        Optional<StyleParam.Colorscale> ColorScale = default, Optional<bool> ShowScale = default, Optional<bool> ReverseScale = default,
        Optional<bool> Transpose = default, Optional<bool> ReverseYAxis = default)
        where ZType : IConvertible
        where XType : IConvertible
        where YType : IConvertible
        where TextType : IConvertible =>
        Heatmap<ZType, XType, YType, TextType>(zData, Name, ShowLegend, Opacity, X, XGap, Y, YGap, Text, MultiText, ColorScale, ShowScale, ReverseScale, Transpose: Transpose, ReverseYAxis: ReverseYAxis)
            .MapLayout(layout => layout["annotations"] = new JsonArray([.. annotationText.SelectMany((row, y) => row.Select((text, x) =>
                new JsonObject { ["x"] = x, ["y"] = y, ["text"] = text, ["showarrow"] = false }))]));

    public static GenericChart Combine(IEnumerable<GenericChart> gCharts) => GenericChart.combine(gCharts);

    public static GenericChart Grid(
        IEnumerable<GenericChart> gCharts, int nRows, int nCols,
        Optional<IEnumerable<string>> SubPlotTitles = default, Optional<StyleParam.LayoutGridPattern> Pattern = default,
        Optional<double> XGap = default, Optional<double> YGap = default)
    {
        bool shared = Pattern.IsSome && Pattern.Value == StyleParam.LayoutGridPattern.Coupled;
        var cells = gCharts.Take(nRows * nCols).Select((chart, i) => Cell(chart, i, shared ? i % nCols + 1 : i + 1, shared ? i / nCols + 1 : i + 1));
        double xGap = XGap.IsSome ? XGap.Value : shared ? 0.1 : 0.2, yGap = YGap.IsSome ? YGap.Value : shared ? 0.1 : 0.3;
        return Combine(cells).MapLayout(layout =>
        {
            layout["grid"] = new JsonObject { ["rows"] = nRows, ["columns"] = nCols, ["pattern"] = shared ? "coupled" : "independent", ["roworder"] = "top to bottom", ["xgap"] = xGap, ["ygap"] = yGap };
            if (!SubPlotTitles.IsSome)
                return;
            if (layout["annotations"] is not JsonArray annotations)
                layout["annotations"] = annotations = [];
            foreach (var (i, title) in SubPlotTitles.Value.Index())
                annotations.Add(new JsonObject
                {
                    ["text"] = title,
                    ["showarrow"] = false,
                    ["xref"] = "paper",
                    ["yref"] = "paper",
                    ["xanchor"] = "center",
                    ["yanchor"] = "bottom",
                    ["x"] = (i % nCols + (1 - xGap) / 2) / (nCols - xGap),
                    ["y"] = (nRows - 1 - i / nCols + 1 - yGap) / (nRows - yGap),
                });
        });

        // Each chart brings axes of its own; in a grid they are numbered cell by cell.
        static GenericChart Cell(GenericChart chart, int index, int x, int y) =>
            chart
                .MapTraces(trace => (trace["xaxis"], trace["yaxis"]) = (Numbered("x", x), Numbered("y", y)))
                .MapLayout(layout =>
                {
                    var xAxis = layout["xaxis"]?.DeepClone();
                    var yAxis = layout["yaxis"]?.DeepClone();
                    layout.Remove("xaxis");
                    layout.Remove("yaxis");
                    layout[Numbered("xaxis", index + 1)] = xAxis ?? new JsonObject();
                    layout[Numbered("yaxis", index + 1)] = yAxis ?? new JsonObject();
                });

        static string Numbered(string name, int number) => number == 1 ? name : name + number.ToString(CultureInfo.InvariantCulture);
    }

    private static GenericChart Bars<ValuesType, KeysType, TextType>(
        string[] valuesKeysOrientation, IEnumerable<ValuesType> values, Optional<IEnumerable<KeysType>> keys,
        Optional<string> name, Optional<bool> showLegend, Optional<double> opacity, Optional<IEnumerable<double>> multiOpacity,
        Optional<TextType> text, Optional<IEnumerable<TextType>> multiText,
        Optional<Color> markerColor, Optional<StyleParam.Colorscale> markerColorScale, Optional<StyleParam.TextPosition> textPosition) =>
        One(new JsonObject { ["type"] = "bar", ["orientation"] = valuesKeysOrientation[2], [valuesKeysOrientation[0]] = Json.Node(values) }
            .With(valuesKeysOrientation[1], keys).With("name", name).With("showlegend", showLegend).With("opacity", opacity).WithIn("marker", "opacity", multiOpacity)
            .With("text", text, multiText).WithIn("marker", "color", markerColor).WithIn("marker", "colorscale", markerColorScale).With("textposition", textPosition));

    private static GenericChart Stacked(GenericChart bars) => bars.MapLayout(layout => layout["barmode"] = "stack");

    private static StyleParam.Mode LineMode(Optional<bool> markers, bool text) => (markers is { IsSome: true, Value: true }, text) switch
    {
        (true, true) => StyleParam.Mode.Lines_Markers_Text,
        (true, false) => StyleParam.Mode.Lines_Markers,
        (false, true) => StyleParam.Mode.Lines_Text,
        (false, false) => StyleParam.Mode.Lines,
    };

    private static GenericChart One(JsonObject trace) => new([trace], []);
}
