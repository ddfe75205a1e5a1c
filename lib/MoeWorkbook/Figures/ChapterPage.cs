using System.Net;
using System.Text;

namespace MoeWorkbook;

/// <summary>A page that a program without a kernel fills while it runs: of a chapter written as a script, what a notebook shows under its cells.</summary>
/// <example><code>using var page = new ChapterPage("routing.html", "Routing"); page.Show(Figures.ExpertLoads(decision));</code></example>
public sealed class ChapterPage : IDisposable
{
    private readonly string _path, _title;
    private readonly StringBuilder _body = new();

    /// <summary>An empty page. The file is written at the end, and whenever the program stops before.</summary>
    /// <param name="path">The HTML file.</param>
    /// <param name="title">The page's title.</param>
    public ChapterPage(string path, string title)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(title);
        (_path, _title) = (Path.GetFullPath(path), title);
    }

    /// <summary>Adds a value to the page, and its text to the console: figures and tables as in a notebook, anything else as it prints itself.</summary>
    /// <param name="value">The value; null shows nothing.</param>
    public void Show(object? value)
    {
        if (value is null) return;
        var text = NotebookDisplay.ToPlainText(value) ?? value.ToString() ?? "";
        Console.WriteLine(text);
        _body.AppendLine(NotebookDisplay.ToHtml(value) ?? $"<pre>{WebUtility.HtmlEncode(text)}</pre>");
    }

    /// <summary>Writes the page, figures and the script that draws them in one file, and says where it is.</summary>
    public void Dispose()
    {
        WholeFile.Write(_path, $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{WebUtility.HtmlEncode(_title)}</title>
            <link rel="icon" href="data:,">
            <style>body {"{"} max-width: 60em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 {FigureStyle.FontFamily} {"}"} pre {"{"} overflow-x: auto {"}"}</style>
            </head>
            <body>
            <h1>{WebUtility.HtmlEncode(_title)}</h1>
            {_body}<script>{FigureScript.JavaScript.Replace("</script", "<\\/script", StringComparison.Ordinal)}</script>
            </body>
            </html>

            """);
        Console.WriteLine($"What it showed: {_path}");
    }
}
