using System.Text.Json.Nodes;

namespace Plotly.NET;

/// A chart: plotly.js traces and a plotly.js layout. Charts are values; every change gives a new one.
public sealed class GenericChart
{
    internal GenericChart(IEnumerable<JsonObject> traces, JsonObject layout)
    {
        Traces = [.. traces];
        Layout = layout;
    }

    internal IReadOnlyList<JsonObject> Traces { get; }

    internal JsonObject Layout { get; }

    internal GenericChart MapTraces(Action<JsonObject> change) => new(Traces.Select(t => Changed(t, change)), Layout);

    internal GenericChart MapLayout(Action<JsonObject> change) => new(Traces, Changed(Layout, change));

    public static GenericChart combine(IEnumerable<GenericChart> gCharts)
    {
        var charts = gCharts.ToList();
        var layout = new JsonObject();
        foreach (var chart in charts)
            Merge(layout, chart.Layout);
        return new(charts.SelectMany(c => c.Traces), layout);
    }

    public static string toJson(GenericChart gChart) =>
        new JsonObject
        {
            ["data"] = new JsonArray([.. gChart.Traces.Select(t => t.DeepClone())]),
            ["layout"] = gChart.Layout.DeepClone(),
            ["config"] = new JsonObject { ["responsive"] = true },
        }.ToJsonString();

    /// Later charts win, except that lists (annotations, shapes) are joined.
    private static void Merge(JsonObject into, JsonObject from)
    {
        foreach (var (name, value) in from)
        {
            if (value is JsonObject child && into[name] is JsonObject own)
                Merge(own, child);
            else if (value is JsonArray more && into[name] is JsonArray list)
                foreach (var item in more)
                    list.Add(item?.DeepClone());
            else
                into[name] = value?.DeepClone();
        }
    }

    private static JsonObject Changed(JsonObject source, Action<JsonObject> change)
    {
        var copy = (JsonObject)source.DeepClone();
        change(copy);
        return copy;
    }
}
