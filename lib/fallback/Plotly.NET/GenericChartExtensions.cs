using System.Text.Json.Nodes;

namespace Plotly.NET.CSharp;

public static class GenericChartExtensions
{
    public static GenericChart WithTraceInfo(this GenericChart gChart, Optional<string> Name = default, Optional<bool> ShowLegend = default, Optional<string> LegendGroup = default) =>
        gChart.MapTraces(trace => trace.With("name", Name).With("showlegend", ShowLegend).With("legendgroup", LegendGroup));

    public static GenericChart WithSize(this GenericChart gChart, Optional<int> Width = default, Optional<int> Height = default) =>
        gChart.MapLayout(layout => layout.With("width", Width).With("height", Height));

    public static GenericChart WithLegendStyle(
        this GenericChart gChart, Optional<Color> BGColor = default, Optional<Color> BorderColor = default, Optional<double> BorderWidth = default,
        Optional<StyleParam.Orientation> Orientation = default, Optional<double> X = default, Optional<StyleParam.XAnchorPosition> XAnchor = default,
        Optional<double> Y = default, Optional<StyleParam.YAnchorPosition> YAnchor = default) =>
        gChart.MapLayout(layout => layout.Child("legend")
            .With("bgcolor", BGColor).With("bordercolor", BorderColor).With("borderwidth", BorderWidth).With("orientation", Orientation)
            .With("x", X).With("xanchor", XAnchor).With("y", Y).With("yanchor", YAnchor));

    public static GenericChart WithXAxisStyle<MinType, MaxType, CategoryArrayType>(
        this GenericChart gChart, Optional<string> TitleText = default, Optional<Color> Color = default, Optional<StyleParam.AxisType> AxisType = default,
        Optional<Tuple<MinType, MaxType>> MinMax = default, Optional<bool> ShowLine = default, Optional<Color> LineColor = default,
        Optional<bool> ShowGrid = default, Optional<Color> GridColor = default, Optional<bool> ZeroLine = default, Optional<StyleParam.Side> Side = default,
        Optional<Tuple<double, double>> Domain = default, Optional<StyleParam.CategoryOrder> CategoryOrder = default, Optional<IEnumerable<CategoryArrayType>> CategoryArray = default)
        where MinType : IConvertible
        where MaxType : IConvertible
        where CategoryArrayType : IConvertible =>
        gChart.WithAxisStyle("xaxis", TitleText, Color, AxisType, MinMax, ShowLine, LineColor, ShowGrid, GridColor, ZeroLine, Side, Domain, CategoryOrder, CategoryArray);

    public static GenericChart WithYAxisStyle<MinType, MaxType, CategoryArrayType>(
        this GenericChart gChart, Optional<string> TitleText = default, Optional<Color> Color = default, Optional<StyleParam.AxisType> AxisType = default,
        Optional<Tuple<MinType, MaxType>> MinMax = default, Optional<bool> ShowLine = default, Optional<Color> LineColor = default,
        Optional<bool> ShowGrid = default, Optional<Color> GridColor = default, Optional<bool> ZeroLine = default, Optional<StyleParam.Side> Side = default,
        Optional<Tuple<double, double>> Domain = default, Optional<StyleParam.CategoryOrder> CategoryOrder = default, Optional<IEnumerable<CategoryArrayType>> CategoryArray = default)
        where MinType : IConvertible
        where MaxType : IConvertible
        where CategoryArrayType : IConvertible =>
        gChart.WithAxisStyle("yaxis", TitleText, Color, AxisType, MinMax, ShowLine, LineColor, ShowGrid, GridColor, ZeroLine, Side, Domain, CategoryOrder, CategoryArray);

    private static GenericChart WithAxisStyle<MinType, MaxType, CategoryArrayType>(
        this GenericChart chart, string name, Optional<string> title, Optional<Color> color, Optional<StyleParam.AxisType> type,
        Optional<Tuple<MinType, MaxType>> minMax, Optional<bool> showLine, Optional<Color> lineColor, Optional<bool> showGrid, Optional<Color> gridColor, Optional<bool> zeroLine,
        Optional<StyleParam.Side> side, Optional<Tuple<double, double>> domain, Optional<StyleParam.CategoryOrder> categoryOrder, Optional<IEnumerable<CategoryArrayType>> categoryArray) =>
        chart.MapLayout(layout =>
        {
            var axis = layout.Child(name)
                .WithIn("title", "text", title).With("color", color).With("type", type).With("showline", showLine).With("linecolor", lineColor)
                .With("showgrid", showGrid).With("gridcolor", gridColor).With("zeroline", zeroLine).With("side", side)
                .With("categoryorder", categoryOrder).With("categoryarray", categoryArray);
            if (minMax.IsSome)
                axis["range"] = new JsonArray(Json.Node(minMax.Value.Item1), Json.Node(minMax.Value.Item2));
            if (domain.IsSome)
                axis["domain"] = new JsonArray(domain.Value.Item1, domain.Value.Item2);
        });
}
