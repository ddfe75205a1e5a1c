using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>What one benchmark printed.</summary>
/// <param name="Command">Its exact command, such as <c>./workbook bench probe --json</c>.</param>
/// <param name="Result">Its JSON object.</param>
public sealed record BenchmarkResult(string Command, JsonObject Result)
{
    /// <summary>Which benchmark it was: the word after bench.</summary>
    public string Benchmark => Command.Split(' ', StringSplitOptions.RemoveEmptyEntries).SkipWhile(word => word != "bench").ElementAtOrDefault(1) ?? "";
}
