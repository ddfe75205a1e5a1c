using System.Globalization;
using System.Text.Json.Nodes;
using Plotly.NET.CSharp;

namespace Plotly.NET;

/// Values of .NET as plotly.js attributes.
internal static class Json
{
    public static JsonObject With<T>(this JsonObject target, string name, Optional<T> value)
    {
        if (value.IsSome)
            target[name] = Node(value.Value);
        return target;
    }

    /// One value for all data points, or one for each.
    public static JsonObject With<T>(this JsonObject target, string name, Optional<T> single, Optional<IEnumerable<T>> each) =>
        each.IsSome ? target.With(name, each) : target.With(name, single);

    /// The object called <paramref name="name"/>, made if it is missing.
    public static JsonObject Child(this JsonObject target, string name)
    {
        if (target[name] is not JsonObject child)
            target[name] = child = [];
        return child;
    }

    /// As With, into a child object that is made only when there is something to put there.
    public static JsonObject WithIn<T>(this JsonObject target, string child, string name, Optional<T> value)
    {
        if (value.IsSome)
            target.Child(child).With(name, value);
        return target;
    }

    public static JsonObject WithIn<T>(this JsonObject target, string child, string name, Optional<T> single, Optional<IEnumerable<T>> each) =>
        each.IsSome ? target.WithIn(child, name, each) : target.WithIn(child, name, single);

    public static JsonNode? Node(object? value) => value switch
    {
        null => null,
        string text => JsonValue.Create(text),
        bool flag => JsonValue.Create(flag),
        double number => Finite(number),
        float number => Finite(double.Parse(number.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)),
        decimal number => JsonValue.Create(number),
        DateTime time => JsonValue.Create(time.ToString("O", CultureInfo.InvariantCulture)),
        IConvertible number when number.GetTypeCode() is >= TypeCode.SByte and <= TypeCode.UInt64 => JsonValue.Create(number.ToDecimal(null)),
        Color color => color.Node,
        StyleParam.Colorscale scale => scale.Value.DeepClone(),
        System.Collections.IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(Node)]),
        _ => JsonValue.Create(Convert.ToString(value, CultureInfo.InvariantCulture)),
    };

    // plotly.js leaves a gap where a value is null; JSON has no NaN and no infinity.
    private static JsonValue? Finite(double number) => double.IsFinite(number) ? JsonValue.Create(number) : null;
}
