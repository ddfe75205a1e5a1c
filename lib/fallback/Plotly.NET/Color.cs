using System.Globalization;
using System.Text.Json.Nodes;

namespace Plotly.NET;

public sealed class Color
{
    private Color(object value) => Value = value;

    public object Value { get; }

    internal JsonNode Node => Value is Color[] colors ? new JsonArray([.. colors.Select(c => c.Node)]) : JsonValue.Create((string)Value);

    public static Color fromString(string c) => new(c);
    public static Color fromHex(string s) => new(s);
    public static Color fromRGB(int r, int g, int b) => new(string.Create(CultureInfo.InvariantCulture, $"rgb({r},{g},{b})"));
    public static Color fromARGB(int a, int r, int g, int b) => new(string.Create(CultureInfo.InvariantCulture, $"rgba({r},{g},{b},{a / 255.0})"));
    public static Color fromColors(IEnumerable<Color> c) => new(c.ToArray());
}
