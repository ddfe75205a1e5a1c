using System.Text.Json.Nodes;

namespace MoeWorkbook.Cli;

/// <summary>One line of <c>bench moe-layer</c>: the layer's time, its limits, and its rivals of the same rounds.</summary>
internal sealed record LayerRow(
    WeightType Type, LayerShape Shape, int Tokens, int Touched, Comparison Times, Prediction Predicted,
    double ReadBytesPerSecond, double BandwidthFraction, double GemmFraction)
{
    public const string Ours = "ours", DenseTotal = "dense total", DenseActive = "dense active", Loop = "loop", PyTorchLoop = "PyTorch loop", PyTorchGrouped = "PyTorch grouped";

    /// <summary>What the layer is compared with, and what its keys in JSON begin with.</summary>
    private static readonly (string Name, string Key)[] _rivals =
        [(DenseTotal, "dense_total"), (DenseActive, "dense_active"), (Loop, "loop"), (PyTorchLoop, "pytorch"), (PyTorchGrouped, "pytorch_grouped")];

    private Estimate Milliseconds => Times[Ours].Milliseconds;

    public static string TypeName(WeightType type) => type.ToString().ToLowerInvariant();

    /// <summary>Two tables: the layer under its limits, and its rivals.</summary>
    public static string ToText(IReadOnlyList<LayerRow> rows)
    {
        Column[] first = [Column.Text("type"), new("tokens")];
        var limits = new Table(
            [.. first, new("experts"), new("ours", "ms"), new("interval"), new("predicted", "ms"), new("of bandwidth", "%"), new("of GEMM", "%")],
            rows.Select(row => (string[])
            [
                TypeName(row.Type), $"{row.Tokens}", $"{row.Touched}", $"{row.Milliseconds}", row.Milliseconds.Interval, $"{row.Predicted.Milliseconds:G3}",
                $"{100 * row.BandwidthFraction:F0}", $"{100 * row.GemmFraction:F0}",
            ]));
        var timed = _rivals.Where(rival => rows.Any(row => row.Has(rival.Name))).ToList();
        var rivals = new Table(
            [.. first, .. timed.SelectMany(rival => (Column[])[new(rival.Name, "ms"), new("/ ours")])],
            rows.Select(row => (string[])
            [
                TypeName(row.Type), $"{row.Tokens}",
                .. timed.SelectMany(rival => row.Has(rival.Name) ? (string[])[$"{row.Times[rival.Name].Milliseconds}",
                    $"{row.Times.Ratio(rival.Name, Ours)}"] : ["", ""]),
            ]));
        return $"{limits}\n\n{rivals}";
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["dtype"] = TypeName(Type),
            ["hidden_size"] = Shape.Hidden,
            ["intermediate_size"] = Shape.IntermediateSize,
            ["experts"] = Shape.Experts,
            ["experts_per_token"] = Shape.TopK,
            ["tokens"] = Tokens,
            ["routing"] = Shape.Routing,
            ["experts_touched"] = Touched,
            ["milliseconds"] = JsonText.Rounded(Milliseconds.Value),
            ["milliseconds_low"] = JsonText.Rounded(Milliseconds.Low),
            ["milliseconds_high"] = JsonText.Rounded(Milliseconds.High),
            ["predicted_milliseconds"] = JsonText.Rounded(Predicted.Milliseconds),
            ["read_gb_per_s"] = JsonText.Rounded(ReadBytesPerSecond / 1e9),
            ["bandwidth_fraction"] = JsonText.Rounded(BandwidthFraction),
            ["gemm_fraction"] = JsonText.Rounded(GemmFraction),
        };
        foreach (var (name, key) in _rivals)
        {
            json[$"{key}_milliseconds"] = Has(name) ? JsonText.Rounded(Times[name].Milliseconds.Value) : null;
            json[$"{key}_ratio"] = Has(name) ? JsonText.Rounded(Times.Ratio(name, Ours).Value) : null;
        }

        return json;
    }

    /// <summary>One line: the layer, its limits, and its rivals.</summary>
    public override string ToString() => $"{TypeName(Type)}, {Tokens} tokens: {Milliseconds} ms, {BandwidthFraction:P0} of the bandwidth, {GemmFraction:P0} of GEMM"
        + string.Concat(_rivals.Where(rival => Has(rival.Name)).Select(rival => $"; {rival.Name} {Times.Ratio(rival.Name, Ours)} times"));

    private bool Has(string name) => Times.Measurements.Any(measurement => measurement.Name == name);
}
