using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Extensions.Mathematics;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace MoeWorkbook.Notebooks;

/// <summary>A notebook's Markdown as HTML: headings get anchors, links to notebooks become links to pages, images come along.</summary>
internal sealed partial class NotebookMarkdown(string sourceFolder, string siteFolder)
{
    private static readonly MarkdownPipeline _pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables().UseFootnotes().UseMathematics().UseEmphasisExtras().UseDefinitionLists().UseTaskLists().UseAlertBlocks().UseAutoLinks()
        .Build();

    private readonly HashSet<string> _anchors = [];

    /// <summary>The headings of levels two and three so far: level, anchor, text as HTML.</summary>
    public List<(int Level, string Id, string Html)> Headings { get; } = [];

    /// <summary>Whether there has been a formula.</summary>
    public bool HasFormulas { get; private set; }

    /// <summary>A Markdown cell as HTML.</summary>
    public string ToHtml(NotebookCell cell) => ToHtml(cell.Source, cell.Id, cell.Attachments);

    /// <summary>Markdown as HTML; <paramref name="scope"/> keeps the anchors of footnotes apart.</summary>
    public string ToHtml(string text, string scope, JsonObject? attachments = null)
    {
        var document = Markdown.Parse(Cited().Replace(text, match => match.Groups["number"] is { Success: true, Value: var number }
            ? $"[{match.Value}](https://arxiv.org/abs/{number})" : $"[{match.Value}](https://doi.org/{match.Groups["doi"].Value})"), _pipeline);
        foreach (var heading in document.Descendants<HeadingBlock>())
            AddHeading(heading);
        foreach (var link in document.Descendants<LinkInline>())
            link.Url = Rewritten(link, attachments);
        HasFormulas |= document.Descendants<MathInline>().Any() || document.Descendants<MathBlock>().Any();

        using var writer = new StringWriter { NewLine = "\n" };
        var renderer = new HtmlRenderer(writer);
        _pipeline.Setup(renderer);
        renderer.ObjectRenderers.Replace<HtmlMathInlineRenderer>(new FormulaRenderer());
        renderer.ObjectRenderers.Replace<CodeBlockRenderer>(new CodeRenderer());
        renderer.Render(document);
        return writer.ToString()
            .Replace("id=\"fn", $"id=\"{scope}-fn", StringComparison.Ordinal)
            .Replace("href=\"#fn", $"href=\"#{scope}-fn", StringComparison.Ordinal);
    }

    /// <summary>The words of the first paragraph, or nothing.</summary>
    public static string FirstParagraph(string text) => Words(Markdown.Parse(text, _pipeline).OfType<ParagraphBlock>().FirstOrDefault());

    private static string Words(LeafBlock? block) => string.Concat(block?.Inline?.Descendants().Select(inline => inline switch
    {
        LiteralInline literal => literal.Content.ToString(),
        CodeInline code => code.Content,
        MathInline formula => formula.Content.ToString(),
        HtmlEntityInline entity => entity.Transcoded.ToString(),
        LineBreakInline => " ",
        _ => "",
    }) ?? []);

    private void AddHeading(HeadingBlock heading)
    {
        var words = Words(heading);
        var anchor = Anchor(words);
        for (var n = 2; !_anchors.Add(anchor); n++)
            anchor = $"{Anchor(words)}-{n}";
        heading.GetAttributes().Id = anchor;
        if (heading.Level is not (2 or 3))
            return;
        using var writer = new StringWriter();
        var renderer = new HtmlRenderer(writer);
        _pipeline.Setup(renderer);
        renderer.ObjectRenderers.Replace<HtmlMathInlineRenderer>(new FormulaRenderer());
        renderer.Write(heading.Inline!);
        Headings.Add((heading.Level, anchor, writer.ToString()));
    }

    /// <summary>A paper's number in parentheses, as "Read on" names it, which becomes a link.</summary>
    [GeneratedRegex(@"(?<=[( ])(arXiv:(?<number>\d{4}\.\d{4,5})|doi:(?<doi>10\.\d+/[\w./-]*\w))(?=[),;])")]
    private static partial Regex Cited();

    /// <summary>As GitHub and VS Code make it: lower case, spaces to hyphens, without punctuation.</summary>
    private static string Anchor(string words)
    {
        var anchor = new StringBuilder();
        foreach (var character in words.Trim().ToLowerInvariant())
            if (char.IsLetterOrDigit(character) || character is '-' or '_')
                anchor.Append(character);
            else if (character == ' ')
                anchor.Append('-');
        return anchor.Length == 0 ? "section" : anchor.ToString();
    }

    private string? Rewritten(LinkInline link, JsonObject? attachments)
    {
        var url = link.Url ?? "";
        if (url.StartsWith("attachment:", StringComparison.Ordinal)
            && (attachments?[url["attachment:".Length..]] as JsonObject)?.FirstOrDefault() is { Key: { } type, Value: { } data })
            return $"data:{type};base64,{NotebookCell.Text(data)}";
        if (url.StartsWith('#'))
            return url.ToLowerInvariant();
        if (url.Contains(':', StringComparison.Ordinal) || url.StartsWith('/'))
            return url;
        var parts = url.Split('#', 2);
        if (parts[0].EndsWith(".ipynb", StringComparison.OrdinalIgnoreCase))
            return parts[0][..^".ipynb".Length] + ".html" + (parts.Length > 1 ? "#" + parts[1].ToLowerInvariant() : "");
        if (link.IsImage)
            BringAlong(WebUtility.UrlDecode(parts[0]));
        return url;
    }

    /// <summary>Copies an image to the same place in the site; one from outside the notebooks' folder stays where it is.</summary>
    private void BringAlong(string relative)
    {
        var source = Path.Combine(sourceFolder, relative);
        var target = Path.GetFullPath(Path.Combine(siteFolder, relative));
        if (!File.Exists(source) || !target.StartsWith(Path.GetFullPath(siteFolder), StringComparison.Ordinal))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target, overwrite: true);
    }

    /// <summary>Formulas with the delimiters that say inline or displayed, $$ within a paragraph being displayed.</summary>
    private sealed class FormulaRenderer : HtmlObjectRenderer<MathInline>
    {
        protected override void Write(HtmlRenderer renderer, MathInline formula)
        {
            (var open, var close) = formula.DelimiterCount == 2 ? ("\\[", "\\]") : ("\\(", "\\)");
            renderer.Write($"<span class=\"math\">{open}").WriteEscape(formula.Content.ToString()).Write($"{close}</span>");
        }
    }

    /// <summary>C# in Markdown looks as it does in a cell.</summary>
    private sealed class CodeRenderer : CodeBlockRenderer
    {
        protected override void Write(HtmlRenderer renderer, CodeBlock block)
        {
            if (block is not FencedCodeBlock { Info: "csharp" or "cs" or "c#" or "C#" } || block is MathBlock)
            {
                base.Write(renderer, block);
                return;
            }
            renderer.EnsureLine();
            renderer.Write("<pre class=\"code\"><code>").Write(CSharpHighlighter.ToHtml(block.Lines.ToString())).WriteLine("</code></pre>");
        }
    }
}
