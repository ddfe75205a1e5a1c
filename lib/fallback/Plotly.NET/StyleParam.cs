using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Plotly.NET;

// The published types are F# unions, whose cases C# sees as static properties marked as compiler-generated.
public static class StyleParam
{
    public sealed class AxisType
    {
        private AxisType(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static AxisType Auto { get; } = new("-");
        [CompilerGenerated] public static AxisType Linear { get; } = new("linear");
        [CompilerGenerated] public static AxisType Log { get; } = new("log");
        [CompilerGenerated] public static AxisType Date { get; } = new("date");
        [CompilerGenerated] public static AxisType Category { get; } = new("category");
        [CompilerGenerated] public static AxisType MultiCategory { get; } = new("multicategory");
    }

    public sealed class CategoryOrder
    {
        private CategoryOrder(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static CategoryOrder Trace { get; } = new("trace");
        [CompilerGenerated] public static CategoryOrder CategoryAscending { get; } = new("category ascending");
        [CompilerGenerated] public static CategoryOrder CategoryDescending { get; } = new("category descending");
        [CompilerGenerated] public static CategoryOrder Array { get; } = new("array");
    }

    public sealed class DrawingStyle
    {
        private DrawingStyle(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static DrawingStyle Solid { get; } = new("solid");
        [CompilerGenerated] public static DrawingStyle Dash { get; } = new("dash");
        [CompilerGenerated] public static DrawingStyle Dot { get; } = new("dot");
        [CompilerGenerated] public static DrawingStyle DashDot { get; } = new("dashdot");
        [CompilerGenerated] public static DrawingStyle LongDash { get; } = new("longdash");
        [CompilerGenerated] public static DrawingStyle LongDashDot { get; } = new("longdashdot");
    }

    public sealed class Fill
    {
        private Fill(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static Fill None { get; } = new("none");
        [CompilerGenerated] public static Fill ToZero_y { get; } = new("tozeroy");
        [CompilerGenerated] public static Fill ToZero_x { get; } = new("tozerox");
        [CompilerGenerated] public static Fill ToNext_y { get; } = new("tonexty");
        [CompilerGenerated] public static Fill ToNext_x { get; } = new("tonextx");
        [CompilerGenerated] public static Fill ToSelf { get; } = new("toself");
        [CompilerGenerated] public static Fill ToNext { get; } = new("tonext");
    }

    public sealed class HistFunc
    {
        private HistFunc(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static HistFunc Count { get; } = new("count");
        [CompilerGenerated] public static HistFunc Sum { get; } = new("sum");
        [CompilerGenerated] public static HistFunc Avg { get; } = new("avg");
        [CompilerGenerated] public static HistFunc Min { get; } = new("min");
        [CompilerGenerated] public static HistFunc Max { get; } = new("max");
    }

    public sealed class HistNorm
    {
        private HistNorm(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static HistNorm None { get; } = new("");
        [CompilerGenerated] public static HistNorm Percent { get; } = new("percent");
        [CompilerGenerated] public static HistNorm Probability { get; } = new("probability");
        [CompilerGenerated] public static HistNorm Density { get; } = new("density");
        [CompilerGenerated] public static HistNorm ProbabilityDensity { get; } = new("probability density");
    }

    public sealed class LayoutGridPattern
    {
        private LayoutGridPattern(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static LayoutGridPattern Independent { get; } = new("independent");
        [CompilerGenerated] public static LayoutGridPattern Coupled { get; } = new("coupled");
    }

    public sealed class MarkerSymbol
    {
        private MarkerSymbol(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static MarkerSymbol Circle { get; } = new("circle");
        [CompilerGenerated] public static MarkerSymbol Square { get; } = new("square");
        [CompilerGenerated] public static MarkerSymbol Diamond { get; } = new("diamond");
        [CompilerGenerated] public static MarkerSymbol Cross { get; } = new("cross");
        [CompilerGenerated] public static MarkerSymbol X { get; } = new("x");
        [CompilerGenerated] public static MarkerSymbol TriangleUp { get; } = new("triangle-up");
        [CompilerGenerated] public static MarkerSymbol TriangleDown { get; } = new("triangle-down");
        [CompilerGenerated] public static MarkerSymbol Star { get; } = new("star");
    }

    public sealed class Mode
    {
        private Mode(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static Mode None { get; } = new("none");
        [CompilerGenerated] public static Mode Lines { get; } = new("lines");
        [CompilerGenerated] public static Mode Markers { get; } = new("markers");
        [CompilerGenerated] public static Mode Text { get; } = new("text");
        [CompilerGenerated] public static Mode Lines_Markers { get; } = new("lines+markers");
        [CompilerGenerated] public static Mode Lines_Text { get; } = new("lines+text");
        [CompilerGenerated] public static Mode Markers_Text { get; } = new("markers+text");
        [CompilerGenerated] public static Mode Lines_Markers_Text { get; } = new("lines+markers+text");
    }

    public sealed class Orientation
    {
        private Orientation(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static Orientation Horizontal { get; } = new("h");
        [CompilerGenerated] public static Orientation Vertical { get; } = new("v");
    }

    public sealed class Side
    {
        private Side(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static Side Top { get; } = new("top");
        [CompilerGenerated] public static Side Left { get; } = new("left");
        [CompilerGenerated] public static Side Bottom { get; } = new("bottom");
        [CompilerGenerated] public static Side Right { get; } = new("right");
    }

    public sealed class TextPosition
    {
        private TextPosition(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static TextPosition TopLeft { get; } = new("top left");
        [CompilerGenerated] public static TextPosition TopCenter { get; } = new("top center");
        [CompilerGenerated] public static TextPosition TopRight { get; } = new("top right");
        [CompilerGenerated] public static TextPosition MiddleLeft { get; } = new("middle left");
        [CompilerGenerated] public static TextPosition MiddleCenter { get; } = new("middle center");
        [CompilerGenerated] public static TextPosition MiddleRight { get; } = new("middle right");
        [CompilerGenerated] public static TextPosition BottomLeft { get; } = new("bottom left");
        [CompilerGenerated] public static TextPosition BottomCenter { get; } = new("bottom center");
        [CompilerGenerated] public static TextPosition BottomRight { get; } = new("bottom right");
        [CompilerGenerated] public static TextPosition Auto { get; } = new("auto");
        [CompilerGenerated] public static TextPosition Inside { get; } = new("inside");
        [CompilerGenerated] public static TextPosition Outside { get; } = new("outside");
        [CompilerGenerated] public static TextPosition None { get; } = new("none");
    }

    public sealed class XAnchorPosition
    {
        private XAnchorPosition(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static XAnchorPosition Auto { get; } = new("auto");
        [CompilerGenerated] public static XAnchorPosition Left { get; } = new("left");
        [CompilerGenerated] public static XAnchorPosition Center { get; } = new("center");
        [CompilerGenerated] public static XAnchorPosition Right { get; } = new("right");
    }

    public sealed class YAnchorPosition
    {
        private YAnchorPosition(string value) => Value = value;
        private string Value { get; }
        public override string ToString() => Value;

        [CompilerGenerated] public static YAnchorPosition Auto { get; } = new("auto");
        [CompilerGenerated] public static YAnchorPosition Top { get; } = new("top");
        [CompilerGenerated] public static YAnchorPosition Middle { get; } = new("middle");
        [CompilerGenerated] public static YAnchorPosition Bottom { get; } = new("bottom");
    }

    public sealed class Colorscale
    {
        private Colorscale(JsonNode value) => Value = value;
        internal JsonNode Value { get; }

        [CompilerGenerated] public static Colorscale Viridis { get; } = new("Viridis");
        [CompilerGenerated] public static Colorscale Cividis { get; } = new("Cividis");
        [CompilerGenerated] public static Colorscale Greys { get; } = new("Greys");
        [CompilerGenerated] public static Colorscale RdBu { get; } = new("RdBu");
        public static Colorscale NewCustom(IEnumerable<Tuple<double, Color>> item) => new(new JsonArray([.. item.Select(stop => new JsonArray(stop.Item1, stop.Item2.Node))]));
    }
}
