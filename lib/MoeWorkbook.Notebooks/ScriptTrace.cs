using System.Text.RegularExpressions;

namespace MoeWorkbook.Notebooks;

/// <summary>Finds a notebook's own lines in the texts of exceptions.</summary>
/// <param name="folder">The notebook's folder.</param>
internal sealed partial class ScriptTrace(string folder)
{
    private readonly List<(int Cell, string[] Source, int FirstLine)> _submissions = [];

    /// <summary>The kernel compiles this code next; it numbers what it compiles from 0.</summary>
    /// <param name="cell">The number of the cell that is being executed.</param>
    /// <param name="source">The cell's text.</param>
    /// <param name="code">The code: the cell's text, a part of it, or the kernel's own.</param>
    public void Add(int cell, string source, string code)
    {
        var start = source.IndexOf(code, StringComparison.Ordinal);
        _submissions.Add((start < 0 ? 0 : cell, source.Split('\n'), start < 0 ? 0 : source[..start].Count(character => character == '\n')));
    }

    /// <summary>The notebook's lines in an exception's text, innermost first.</summary>
    /// <param name="text">The text: kind, message and frames.</param>
    /// <param name="cell">The number of the cell that failed.</param>
    /// <param name="line">The innermost of its lines, from 1; 0 where the text names none.</param>
    public IReadOnlyList<string> Of(string text, int cell, out int line)
    {
        var trace = new List<string>();
        line = 0;
        foreach (Match frame in Frame().Matches(text))
        {
            var at = frame.Groups["line"].Success ? int.Parse(frame.Groups["line"].ValueSpan) : 0;
            var submission = int.Parse(frame.Groups["submission"].ValueSpan);
            if (at > 0 && frame.Groups["file"].Length > 0)
            {
                trace.Add($"at {Path.GetRelativePath(folder, frame.Groups["file"].Value)}, line {at}");
            }
            else if (at > 0 && submission < _submissions.Count && _submissions[submission] is { Cell: > 0 } known)
            {
                at += known.FirstLine;
                trace.Add($"at cell {known.Cell}, line {at}: {known.Source.ElementAtOrDefault(at - 1)?.Trim()}");
                if (line == 0 && known.Cell == cell)
                    line = at;
            }
        }
        return trace;
    }

    /// <summary>An exception's type and message, from its text.</summary>
    public static (string Name, string Message) Split(string text)
    {
        var match = Head().Match(text);
        return match.Success ? (match.Groups["name"].Value, match.Groups["message"].Value.Trim()) : ("Error", text.Trim());
    }

    [GeneratedRegex(@"^\s+at Submission#(?<submission>\d+).*? in (?<file>.*):line (?<line>\d+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Frame();

    [GeneratedRegex(@"^(?<name>[\w.+`]+)(: (?<message>.*?))?\s*(?=$|\n ---> |\n\s+at )", RegexOptions.Singleline)]
    private static partial Regex Head();
}
