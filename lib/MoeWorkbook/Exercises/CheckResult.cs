using System.Net;

namespace MoeWorkbook;

/// <summary>What checking an answer found.</summary>
/// <param name="Correct">Whether the answer held for every case tried.</param>
/// <param name="Message">One sentence for the learner.</param>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed record CheckResult(bool Correct, string Message) : INotebookDisplay
{
    /// <inheritdoc />
    public string ToHtml()
    {
        (var colour, var sign) = Correct ? ("#009e73", "✔") : ("#d55e00", "✘");
        return $"<div style=\"border-left:4px solid {colour};padding:.3em .8em\"><b style=\"color:{colour}\">{sign}</b> {WebUtility.HtmlEncode(Message)}</div>";
    }

    /// <summary>The result as a line of text.</summary>
    public override string ToString() => $"{(Correct ? "✔" : "✘")} {Message}";
}
