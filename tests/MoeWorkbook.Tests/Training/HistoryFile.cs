using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Training;

internal static class HistoryFile
{
    /// <summary>The lines of a history file without the seconds, which differ from run to run.</summary>
    public static string[] WithoutTimes(string path) => [.. File.ReadLines(path).Select(text =>
    {
        var line = JsonNode.Parse(text)!.AsObject();
        line["training"]?.AsObject().Remove("seconds");
        return line.ToJsonString();
    })];
}
