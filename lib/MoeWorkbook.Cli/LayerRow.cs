using System.Text.Json.Nodes;

namespace MoeWorkbook.Cli;

/// <summary>One line of <c>bench moe-layer</c>.</summary>
internal sealed record LayerRow(
    WeightType Type, int Tokens, int Touched, Estimate Ours, Estimate Loop, Estimate? PyTorch, Estimate LoopRatio, Estimate? PyTorchRatio,
    Prediction Predicted, double ReadBytesPerSecond, double BandwidthFraction, double GemmFraction)
{
    public static string TypeName(WeightType type) => type.ToString().ToLowerInvariant();

    public static Table ToTable(IEnumerable<LayerRow> rows) => new(
        [
            Column.Text("type"), new("tokens"), new("experts"), new("ours", "ms"), new("95% interval"), new("predicted", "ms"), new("of bandwidth", "%"), new("of GEMM", "%"),
            new("loop", "ms"), new("loop / ours"), new("PyTorch", "ms"), new("PyTorch / ours"),
        ],
        rows.Select(row => (string[])
        [
            TypeName(row.Type), $"{row.Tokens}", $"{row.Touched}", $"{row.Ours}", row.Ours.Interval, $"{1000 * row.Predicted.Seconds:G3}", $"{100 * row.BandwidthFraction:F0}", $"{100 * row.GemmFraction:F0}",
            $"{row.Loop}", $"{row.LoopRatio}", $"{row.PyTorch}", $"{row.PyTorchRatio}",
        ]));

    public JsonObject ToJson() => new()
    {
        ["dtype"] = TypeName(Type),
        ["tokens"] = Tokens,
        ["experts_touched"] = Touched,
        ["milliseconds"] = BenchCommand.Rounded(Ours.Value),
        ["milliseconds_low"] = BenchCommand.Rounded(Ours.Low),
        ["milliseconds_high"] = BenchCommand.Rounded(Ours.High),
        ["predicted_milliseconds"] = BenchCommand.Rounded(1000 * Predicted.Seconds),
        ["read_gb_per_s"] = BenchCommand.Rounded(ReadBytesPerSecond / 1e9),
        ["bandwidth_fraction"] = BenchCommand.Rounded(BandwidthFraction),
        ["gemm_fraction"] = BenchCommand.Rounded(GemmFraction),
        ["loop_milliseconds"] = BenchCommand.Rounded(Loop.Value),
        ["loop_ratio"] = BenchCommand.Rounded(LoopRatio.Value),
        ["pytorch_milliseconds"] = PyTorch is { } python ? BenchCommand.Rounded(python.Value) : null,
        ["pytorch_ratio"] = PyTorchRatio is { } ratio ? BenchCommand.Rounded(ratio.Value) : null,
    };
}
