using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MoeWorkbook.Notebooks;

/// <summary>One executed notebook as a page.</summary>
internal sealed partial class NotebookPage
{
    private readonly SiteOptions _site;
    private readonly bool _katex;
    private readonly NotebookDocument _document;
    private readonly NotebookMarkdown _markdown;
    private readonly string _name;
    private readonly string _toRoot;

    /// <param name="site">The site that the page belongs to.</param>
    /// <param name="katex">Whether the site has katex.</param>
    /// <param name="relative">The notebook's path in the site, with forward slashes.</param>
    public NotebookPage(SiteOptions site, bool katex, string relative)
    {
        _site = site;
        _katex = katex;
        _document = NotebookDocument.Read(Path.Combine(site.Folder, relative));
        _name = Path.GetFileNameWithoutExtension(relative);
        Folder = Path.GetDirectoryName(relative)!.Replace('\\', '/');
        Address = Path.ChangeExtension(relative, ".html");
        _toRoot = string.Concat(Enumerable.Repeat("../", relative.Count(character => character == '/')));
        _markdown = new NotebookMarkdown(Path.Combine(site.Root, Folder), Path.Combine(site.Folder, Folder));
        Number = LeadingNumber().Match(_name).Value;
        Title = _document.Title is { } title ? NotebookMarkdown.FirstParagraph(title) : _name;
        Promise = _document.Cells.FirstOrDefault(cell => cell.Kind == CellKind.Markdown) is { } first ? NotebookMarkdown.FirstParagraph(first.Source) : "";
        Failed = _document.CodeCells.Any(cell => cell.Outputs.Any(output => Kind(output) == "error"));
    }

    /// <summary>The page's folder in the site; empty at its root.</summary>
    public string Folder { get; }

    /// <summary>The page's path in the site.</summary>
    public string Address { get; }

    /// <summary>The chapter's number, from its file name; may be empty.</summary>
    public string Number { get; }

    /// <summary>The first heading.</summary>
    public string Title { get; }

    /// <summary>The first heading without the chapter's number at its start.</summary>
    public string TitleWithoutNumber =>
        Number.Length > 0 && Title.StartsWith(Number, StringComparison.Ordinal) ? Title[Number.Length..].TrimStart(' ', '·') : Title;

    /// <summary>The first paragraph.</summary>
    public string Promise { get; }

    /// <summary>Whether a cell ended in an error.</summary>
    public bool Failed { get; }

    /// <summary>A path for an href.</summary>
    public static string Escaped(string path) => Html.Encode(string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));

    /// <summary>The whole page.</summary>
    public string ToHtml(NotebookPage? previous, NotebookPage? next)
    {
        var cells = new StringBuilder();
        foreach (var cell in _document.Cells)
            Append(cells, cell);

        var body = new StringBuilder();
        body.Append($"<header><a href=\"{_toRoot}index.html\">{Html.Encode(_site.Title)}</a></header>\n<div class=\"layout\">\n");
        AppendContents(body);
        body.Append("<main>\n").Append(cells);
        AppendFooter(body, previous, next);
        body.Append("</main>\n</div>\n");
        var hasFormulas = _markdown.HasFormulas || cells.ToString().Contains("class=\"math", StringComparison.Ordinal);
        if (hasFormulas && _katex)
            body.Append($"""
                <script src="{_toRoot}assets/katex/katex.min.js"></script>
                <script>
                for (const formula of document.querySelectorAll(".math")) {"{"}
                  const text = formula.textContent.trim();
                  katex.render(text.slice(2, -2), formula, {"{"} displayMode: text.startsWith("\\["), throwOnError: false {"}"});
                {"}"}
                </script>

                """);

        var head = new StringBuilder();
        if (hasFormulas && _katex)
            head.Append($"<link rel=\"stylesheet\" href=\"{_toRoot}assets/katex/katex.min.css\">\n");
        if (_document.CodeCells.SelectMany(cell => cell.OutputHtml).Any(html => html.Contains("data-figure=", StringComparison.Ordinal)))
            head.Append($"<script src=\"{_toRoot}assets/figures.js\" defer></script>\n");
        return SitePublisher.Frame(_site, $"{Title} · {_site.Title}", _toRoot, head.ToString(), body.ToString());
    }

    private void Append(StringBuilder html, NotebookCell cell)
    {
        if (cell.Kind == CellKind.Raw)
            return;
        var solution = cell.Tags.Contains("solution");
        if (solution)
            html.Append("<details class=\"solution\"><summary>Solution</summary>\n");
        if (cell.Kind == CellKind.Markdown)
            html.Append("<section class=\"prose\">\n").Append(_markdown.ToHtml(cell)).Append("</section>\n");
        else if (cell.Source.Trim().Length > 0)
            AppendCode(html, cell);
        if (solution)
            html.Append("</details>\n");
    }

    private void AppendCode(StringBuilder html, NotebookCell cell)
    {
        var number = cell.ExecutionCount?.ToString(CultureInfo.InvariantCulture) ?? "";
        html.Append(number.Length > 0 ? $"<section class=\"cell\" id=\"cell-{number}\">\n" : "<section class=\"cell\">\n");
        var hidden = cell.Tags.Contains("hide-input");
        if (hidden)
            html.Append("<details class=\"input\"><summary>Code</summary>\n");
        html.Append($"<pre class=\"code\" data-cell=\"{number}\"><code>").Append(CSharpHighlighter.ToHtml(cell.Source.TrimEnd())).Append("</code></pre>\n");
        if (hidden)
            html.Append("</details>\n");
        foreach (var output in cell.Outputs)
            AppendOutput(html, output, number);
        html.Append("</section>\n");
    }

    private void AppendOutput(StringBuilder html, JsonObject output, string cell)
    {
        switch (Kind(output))
        {
            case "stream":
                var stream = output["name"]!.GetValue<string>() == "stderr" ? "stderr" : "stdout";
                html.Append($"<pre class=\"output {stream}\">{Html.Encode(AsOnTerminal(NotebookCell.Text(output["text"])))}</pre>\n");
                break;
            case "error":
                var trace = output["traceback"]!.AsArray().Select(line => AsOnTerminal(line!.GetValue<string>()));
                html.Append($"<div class=\"output error\" role=\"alert\"><strong>{Html.Encode(output["ename"]!.GetValue<string>())}</strong> ")
                    .Append(Html.Encode(output["evalue"]!.GetValue<string>()))
                    .Append($"<pre>{Html.Encode(string.Join('\n', trace.Skip(1)))}</pre></div>\n");
                break;
            default:
                AppendData(html, output, cell);
                break;
        }
    }

    private void AppendData(StringBuilder html, JsonObject output, string cell)
    {
        if (NotebookCell.Data(output, "text/html") is { } rich)
        {
            if (rich.Contains("data-figure-script=", StringComparison.Ordinal))
                return; // The page has the script as a file.
            html.Append("<div class=\"output html\">\n").Append(rich).Append("\n</div>\n");
        }
        else if (NotebookCell.Data(output, "image/svg+xml") is { } svg)
            html.Append("<div class=\"output html\">\n").Append(svg).Append("\n</div>\n");
        else if (Image(output) is var (type, base64))
            html.Append($"<div class=\"output html\"><img src=\"data:{type};base64,{Html.Encode(base64)}\" alt=\"Output of cell {cell}\"></div>\n");
        else if (NotebookCell.Data(output, "text/markdown") is { } text)
            html.Append("<div class=\"output prose\">\n").Append(_markdown.ToHtml(text, "output")).Append("</div>\n");
        else if (NotebookCell.Data(output, "text/latex") is { } latex)
            html.Append($"<div class=\"output math\">\\[{Html.Encode(latex.Trim().Trim('$'))}\\]</div>\n");
        else if (NotebookCell.Data(output, "text/plain") is { } plain)
            html.Append($"<pre class=\"output value\">{Html.Encode(AsOnTerminal(plain))}</pre>\n");

        static (string Type, string Base64)? Image(JsonObject output) => ((string[])["image/png", "image/jpeg", "image/gif", "image/webp"])
            .Where(type => NotebookCell.Data(output, type) is not null)
            .Select(type => ((string, string)?)(type, NotebookCell.Data(output, type)!.Replace("\n", "", StringComparison.Ordinal)))
            .FirstOrDefault();
    }

    private void AppendContents(StringBuilder html)
    {
        html.Append("<nav class=\"contents\" aria-label=\"On this page\">\n");
        if (_markdown.Headings.Count > 0)
        {
            html.Append("<details open><summary>On this page</summary>\n<ul>\n");
            foreach ((var level, var id, var text) in _markdown.Headings)
                html.Append($"<li class=\"level-{level}\"><a href=\"#{Html.Encode(id)}\">{text}</a></li>\n");
            html.Append("</ul></details>\n");
        }
        html.Append("</nav>\n");
    }

    private void AppendFooter(StringBuilder html, NotebookPage? previous, NotebookPage? next)
    {
        html.Append("<footer>\n<nav class=\"chapters\" aria-label=\"Chapters\">\n");
        if (previous is not null)
            html.Append($"<a rel=\"prev\" href=\"{Escaped(Path.GetFileName(previous.Address))}\"><small>Previous</small>{Html.Encode(previous.Title)}</a>\n");
        if (next is not null)
            html.Append($"<a rel=\"next\" href=\"{Escaped(Path.GetFileName(next.Address))}\"><small>Next</small>{Html.Encode(next.Title)}</a>\n");
        html.Append("</nav>\n<p>");
        if (_document.Metadata["workbook"] is JsonObject measured)
            html.Append(CultureInfo.InvariantCulture, $"Executed in {measured["seconds"]} s with at most {measured["peak_memory_mib"]} MiB of memory. ");
        html.Append($"<a href=\"{Escaped(_name + ".ipynb")}\">The notebook with its outputs</a></p>\n</footer>\n");
    }

    private static string Kind(JsonObject output) => output["output_type"]!.GetValue<string>();

    /// <summary>Text as a terminal leaves it: no colour codes, and of a line rewritten in place its last state.</summary>
    private static string AsOnTerminal(string text) =>
        RewrittenLine().Replace(TerminalCode().Replace(text.Replace("\r\n", "\n", StringComparison.Ordinal), ""), "");

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]")]
    private static partial Regex TerminalCode();

    [GeneratedRegex(@"^[^\n]*\r(?!\n)", RegexOptions.Multiline)]
    private static partial Regex RewrittenLine();

    [GeneratedRegex(@"^\d+([a-z](?=-))?")]
    private static partial Regex LeadingNumber();
}
