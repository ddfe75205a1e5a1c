using System.Net;

namespace MoeWorkbook;

/// <summary>Several things that are shown as one, below each other, with the text that belongs to them.</summary>
/// <param name="Text">What stands before them: lines of plain text.</param>
/// <param name="Parts">The things.</param>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed record Gallery(string Text, IReadOnlyList<INotebookDisplay> Parts) : INotebookDisplay
{
    /// <inheritdoc />
    public string ToHtml() => $"<pre>{WebUtility.HtmlEncode(Text)}</pre>{string.Concat(Parts.Select(part => part.ToHtml()))}";

    /// <summary>The text and the parts, each below the other.</summary>
    public override string ToString() => string.Join("\n\n", Parts.Select(part => part.ToString()).Prepend(Text));
}
