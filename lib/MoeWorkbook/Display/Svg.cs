using System.Net;

namespace MoeWorkbook;

/// <summary>A drawing in SVG with a sentence that says what to see in it.</summary>
/// <param name="Markup">The <c>&lt;svg&gt;</c> element.</param>
/// <param name="Caption">A sentence that says what to see; it is also read out to those who cannot see the drawing.</param>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed record Svg(string Markup, string Caption) : INotebookDisplay
{
    /// <summary>The drawing on white, as wide as it was made and never wider than the page, with its caption.</summary>
    public string ToHtml() =>
        $"""
        <figure style="margin:1em 0;padding:12px 14px;background:#fff;color:{FigureStyle.Ink};border-radius:8px;font-family:{FigureStyle.FontFamily};overflow-x:auto">
        <div role="img" aria-label="{WebUtility.HtmlEncode(Caption)}">{Markup}</div>
        <figcaption style="font-size:14px;line-height:1.45;margin:6px 0 0;color:#57606A">{WebUtility.HtmlEncode(Caption)}</figcaption>
        </figure>
        """;

    /// <summary>The caption, for readers of text.</summary>
    public override string ToString() => $"Drawing: {Caption}";
}
