using System.Globalization;
using System.Reflection;
using System.Text;

namespace MoeWorkbook.Notebooks;

/// <summary>Publishes executed notebooks: for each its .ipynb and an HTML page, and an index.</summary>
/// <remarks>
/// Pages are made from the executed notebooks in the site's folder, so a run of one chapter leaves the others' pages
/// in place. They open from the disk: every path is relative, and nothing comes from a network.
/// </remarks>
public static class SitePublisher
{
    /// <summary>Writes the results' notebooks into the site and makes all of its pages anew.</summary>
    /// <param name="results">What has been executed; what was published before stays.</param>
    /// <param name="site">Where, and of what.</param>
    /// <param name="log">Takes what could not be had.</param>
    public static void Publish(IEnumerable<NotebookResult> results, SiteOptions site, TextWriter log)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(log);

        var root = Path.GetFullPath(site.Root);
        var fresh = new HashSet<string>(StringComparer.Ordinal);
        foreach (var result in results)
        {
            var relative = Path.GetRelativePath(root, result.Path);
            if (relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative))
                relative = Path.GetFileName(result.Path);
            result.Document.Write(Path.Combine(site.Folder, relative));
            fresh.Add(relative.Replace('\\', '/'));
        }
        var katex = Katex.Provide(site, log);
        WholeFile.Write(Path.Combine(site.Folder, "assets", "figures.js"), site.FigureScript);
        WholeFile.Write(Path.Combine(site.Folder, "assets", "site.css"), StyleSheet());

        List<NotebookPage> pages = [.. Executed(site, fresh).Select(relative => new NotebookPage(site, katex, relative))];
        foreach (var folder in pages.GroupBy(page => page.Folder))
        {
            NotebookPage[] chapters = [.. folder];
            for (var i = 0; i < chapters.Length; i++)
            {
                var html = chapters[i].ToHtml(chapters.ElementAtOrDefault(i - 1), chapters.ElementAtOrDefault(i + 1));
                WholeFile.Write(Path.Combine(site.Folder, chapters[i].Address), html);
            }
        }
        WholeFile.Write(Path.Combine(site.Folder, "index.html"), Index(site, pages));
    }

    /// <summary>The head and the frame that every page has.</summary>
    /// <param name="site">The site's name and language.</param>
    /// <param name="title">The page's title as text.</param>
    /// <param name="toRoot">From the page to the site's folder: empty or <c>../</c>.</param>
    /// <param name="head">What else the head holds.</param>
    /// <param name="body">The page's content.</param>
    internal static string Frame(SiteOptions site, string title, string toRoot, string head, string body) => $"""
        <!DOCTYPE html>
        <html lang="{site.Language}">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{Html.Encode(title)}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="{toRoot}assets/site.css">
        {head}</head>
        <body>
        {body}</body>
        </html>

        """.ReplaceLineEndings("\n");

    /// <summary>The executed notebooks in the site; one of an earlier run whose source is gone is taken out, page and all.</summary>
    private static IEnumerable<string> Executed(SiteOptions site, HashSet<string> fresh)
    {
        foreach (var path in Directory.GetFiles(site.Folder, "*.ipynb", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var relative = Path.GetRelativePath(site.Folder, path).Replace('\\', '/');
            if (fresh.Contains(relative) || File.Exists(Path.Combine(site.Root, relative)))
            {
                yield return relative;
                continue;
            }
            File.Delete(path);
            File.Delete(Path.ChangeExtension(path, ".html"));
        }
    }

    private static string Index(SiteOptions site, List<NotebookPage> pages)
    {
        var body = new StringBuilder();
        body.Append($"<main class=\"index\">\n<h1>{Html.Encode(site.Title)}</h1>\n<p class=\"subtitle\">{Html.Encode(site.Subtitle)}</p>\n");
        foreach (var folder in pages.GroupBy(page => page.Folder).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            if (folder.Key.Length > 0)
                body.Append(CultureInfo.InvariantCulture, $"<h2>{Html.Encode(char.ToUpperInvariant(folder.Key[0]) + folder.Key[1..])}</h2>\n");
            body.Append("<ol class=\"chapters\">\n");
            foreach (var page in folder)
            {
                body.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{NotebookPage.Escaped(page.Address)}\">")
                    .Append(CultureInfo.InvariantCulture, $"<span class=\"number\">{Html.Encode(page.Number)}</span> {Html.Encode(page.TitleWithoutNumber)}</a>");
                if (page.Failed)
                    body.Append(" <span class=\"failed\">stopped at an error</span>");
                if (page.Promise.Length > 0)
                    body.Append(CultureInfo.InvariantCulture, $"\n<p>{Html.Encode(page.Promise)}</p>");
                body.Append("</li>\n");
            }
            body.Append("</ol>\n");
        }
        if (File.Exists(Path.Combine(site.Folder, "api", "index.html")))
            body.Append("<h2>For your own code</h2>\n<p><a href=\"api/index.html\">Every type and function of the library</a></p>\n");
        return Frame(site, site.Title, "", "", body.Append("</main>\n").ToString());
    }

    private static string StyleSheet()
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("site.css")!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
