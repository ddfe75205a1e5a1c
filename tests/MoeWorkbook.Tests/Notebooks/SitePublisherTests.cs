using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Notebooks;

[Trait("Category", "Slow")]
public sealed class SitePublisherTests : IDisposable
{
    private readonly NotebookFolder _folder = new();
    private readonly StringWriter _log = new();

    public void Dispose()
    {
        _folder.Dispose();
        _log.Dispose();
    }

    /// <summary>A site whose scripts are already there, so that no test needs npm.</summary>
    private SiteOptions Site()
    {
        var site = new SiteOptions { Folder = _folder.File("site"), Root = _folder.Path, NpmFolder = _folder.File("npm"), FigureScript = "// draws" };
        foreach (var file in (string[])["dist/katex.min.js", "dist/katex.min.css", "dist/fonts/A.woff2", "package.json"])
        {
            var path = Path.Combine(site.NpmFolder, "node_modules", "katex", file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, $$"""{"version": "{{site.KatexVersion}}"}""");
        }

        return site;
    }

    private NotebookDocument Chapter(string name, string markdown)
    {
        var document = new NotebookDocument();
        document.Add(CellKind.Markdown, markdown);
        document.Write(_folder.File(name));
        return document;
    }

    private async Task<string> PageAsync(NotebookDocument document, string name = "01-page.ipynb")
    {
        document.Write(_folder.File(name));
        SitePublisher.Publish([await NotebookRunner.RunAsync(_folder.File(name))], Site(), _log);
        return File.ReadAllText(_folder.File(Path.Combine("site", Path.ChangeExtension(name, ".html"))));
    }

    [Fact]
    public async Task Text_is_escaped_and_html_outputs_are_not()
    {
        var document = Chapter("01-page.ipynb", "# Less < more & \"quotes\"\n\n`a<b>`");
        document.Add(CellKind.Code, "Console.WriteLine(\"1 < 2 & 3\");\n\"<b id='raw'>raw</b>\".DisplayAs(\"text/html\");\n\"<i>\"");
        document.Add(CellKind.Code, "throw new Exception(\"<u>\");");
        var page = await PageAsync(document);
        Assert.Contains("<title>Less &lt; more &amp; &quot;quotes&quot; · MoE Workbook</title>", page, StringComparison.Ordinal);
        Assert.Contains("<code>a&lt;b&gt;</code>", page, StringComparison.Ordinal);
        Assert.Contains("1 &lt; 2 &amp; 3\n</pre>", page, StringComparison.Ordinal);
        Assert.Contains("<b id='raw'>raw</b>", page, StringComparison.Ordinal);
        Assert.Contains("&lt;i&gt;</pre>", page, StringComparison.Ordinal);
        Assert.Contains("<div class=\"output error\" role=\"alert\"><strong>System.Exception</strong> &lt;u&gt;", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_notebook_from_another_folder_gets_a_page_too()
    {
        using var elsewhere = new NotebookFolder();
        SitePublisher.Publish([await NotebookRunner.RunAsync(elsewhere.Notebook("mine.ipynb", "1 + 1"))], Site(), _log);
        Assert.Contains("mine.html", File.ReadAllText(_folder.File("site/index.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("site/mine.html")));
    }

    [Fact]
    public async Task Links_between_notebooks_become_links_between_pages_and_headings_get_unique_anchors()
    {
        var document = Chapter("01-page.ipynb",
            "# A\n\n[next](02-next.ipynb#Ties) [solution](solutions/01-page.ipynb) [there](#What-is-it) [out](https://example.org/a.ipynb)\n\n![picture](figures/a.svg)");
        document.Add(CellKind.Markdown, "## What is it\n\n$x^2$ and[^1]\n\n[^1]: note");
        document.Add(CellKind.Markdown, "## What is it\n\nand[^1]\n\n[^1]: note");
        Directory.CreateDirectory(_folder.File("figures"));
        File.WriteAllText(_folder.File("figures/a.svg"), "<svg/>");
        var page = await PageAsync(document);
        Assert.Contains("href=\"02-next.html#ties\"", page, StringComparison.Ordinal);
        Assert.Contains("href=\"solutions/01-page.html\"", page, StringComparison.Ordinal);
        Assert.Contains("href=\"#what-is-it\"", page, StringComparison.Ordinal);
        Assert.Contains("href=\"https://example.org/a.ipynb\"", page, StringComparison.Ordinal);
        Assert.Contains("<h2 id=\"what-is-it\">", page, StringComparison.Ordinal);
        Assert.Contains("<h2 id=\"what-is-it-2\">", page, StringComparison.Ordinal);
        Assert.Contains("<li class=\"level-2\"><a href=\"#what-is-it-2\">What is it</a></li>", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"math\">\\(x^2\\)</span>", page, StringComparison.Ordinal);
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(page, "id=\"cell-2-fn:1\""));
        Assert.True(File.Exists(_folder.File("site/figures/a.svg")));
    }

    [Fact]
    public async Task The_numbers_of_papers_become_links()
    {
        var page = await PageAsync(Chapter("01-page.ipynb", "# Papers\n\nMixtral (arXiv:2401.04088); Roofline (doi:10.1145/1498765.1498785)."));
        Assert.Contains("<a href=\"https://arxiv.org/abs/2401.04088\">arXiv:2401.04088</a>", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"https://doi.org/10.1145/1498765.1498785\">doi:10.1145/1498765.1498785</a>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Solutions_and_hidden_inputs_are_folded_away()
    {
        var document = Chapter("01-page.ipynb", "# A");
        document.Add(CellKind.Code, "int hidden = 1;", "hide-input");
        document.Add(CellKind.Code, "hidden + 1", "solution");
        var page = await PageAsync(document);
        Assert.Contains("<details class=\"input\"><summary>Code</summary>\n<pre class=\"code\" data-cell=\"1\"><code><span class=\"keyword\">int</span> hidden", page, StringComparison.Ordinal);
        Assert.Contains("<details class=\"solution\"><summary>Solution</summary>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Figures_bring_their_script_as_a_file_and_formulas_bring_katex_only_where_they_are()
    {
        var document = Chapter("01-page.ipynb", "# A\n\nplain");
        var page = await PageAsync(document);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        document.Add(CellKind.Code, "\"<p data-figure-script=''>script</p>\".DisplayAs(\"text/html\");\n\"<div data-figure=''></div>\".DisplayAs(\"text/html\");");
        document.Add(CellKind.Markdown, "$$\nE = 8\n$$");
        page = await PageAsync(document);
        Assert.Contains("<script src=\"assets/figures.js\" defer></script>", page, StringComparison.Ordinal);
        Assert.Contains("<div data-figure=''></div>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<p data-figure-script", page, StringComparison.Ordinal);
        Assert.Equal("// draws", File.ReadAllText(_folder.File("site/assets/figures.js")));
        Assert.Contains("assets/katex/katex.min.css", page, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("site/assets/katex/fonts/A.woff2")));
        Assert.Equal("", _log.ToString());
    }

    [Fact]
    public async Task Pages_of_other_chapters_stay_and_are_linked_and_those_of_deleted_ones_go()
    {
        var site = Site();
        Directory.CreateDirectory(_folder.File("solutions"));
        foreach (var name in (string[])["01-a.ipynb", "02-b.ipynb", "solutions/01-a.ipynb"])
        {
            Chapter(name, $"# Title of {name}\n\nPromise of {name}.");
            SitePublisher.Publish([await NotebookRunner.RunAsync(_folder.File(name))], site, _log);
        }
        Assert.Contains("rel=\"next\" href=\"02-b.html\"", File.ReadAllText(_folder.File("site/01-a.html")), StringComparison.Ordinal);
        Assert.DoesNotContain("rel=\"next\"", File.ReadAllText(_folder.File("site/02-b.html")), StringComparison.Ordinal);
        Assert.Contains("href=\"../assets/site.css\"", File.ReadAllText(_folder.File("site/solutions/01-a.html")), StringComparison.Ordinal);
        var index = File.ReadAllText(_folder.File("site/index.html"));
        Assert.Contains("Promise of 01-a.ipynb.", index, StringComparison.Ordinal);
        Assert.Contains("href=\"solutions/01-a.html\"", index, StringComparison.Ordinal);

        File.Delete(_folder.File("01-a.ipynb"));
        SitePublisher.Publish([], site, _log);
        Assert.DoesNotContain("href=\"01-a.html\"", File.ReadAllText(_folder.File("site/index.html")), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.File("site/01-a.html")));
    }

    [Fact]
    public void The_librarys_reference_is_linked_where_it_lies_beside_the_pages()
    {
        SitePublisher.Publish([], Site(), _log);
        Assert.DoesNotContain("api/", File.ReadAllText(_folder.File("site/index.html")), StringComparison.Ordinal);
        Directory.CreateDirectory(_folder.File("site/api"));
        File.WriteAllText(_folder.File("site/api/index.html"), "");
        SitePublisher.Publish([], Site(), _log);
        Assert.Contains("href=\"api/index.html\"", File.ReadAllText(_folder.File("site/index.html")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chapters_number_may_end_with_a_letter()
    {
        foreach (var (name, title) in new[] { ("03-a.ipynb", "03 · First"), ("03b-b.ipynb", "03b · Second") })
        {
            Chapter(name, $"# {title}");
            SitePublisher.Publish([await NotebookRunner.RunAsync(_folder.File(name))], Site(), _log);
        }
        var index = File.ReadAllText(_folder.File("site/index.html"));
        Assert.Contains("<span class=\"number\">03</span> First</a>", index, StringComparison.Ordinal);
        Assert.Contains("<span class=\"number\">03b</span> Second</a>", index, StringComparison.Ordinal);
        Assert.Contains("rel=\"next\" href=\"03b-b.html\"", File.ReadAllText(_folder.File("site/03-a.html")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_notebook_that_aborts_fails_the_run_and_the_next_one_is_executed_and_published()
    {
        var first = _folder.Notebook("01-abort.ipynb", "Console.WriteLine(\"so far\");", "Environment.FailFast(\"on purpose\");");
        var second = _folder.Notebook("02-fine.ipynb", "Console.WriteLine(40 + 2)");
        File.WriteAllText(_folder.File("03-broken.ipynb"), "{");
        var exitCode = await NotebookCommand.RunAsync([first, _folder.File("03-broken.ipynb"), _folder.File("04-missing.ipynb"), second], Site(), null, _log);
        Assert.Equal(1, exitCode);
        Assert.Contains("01-abort.ipynb: FAILED in ", _log.ToString(), StringComparison.Ordinal);
        Assert.Contains("cell 2\n  ProcessEnded: ", _log.ToString(), StringComparison.Ordinal);
        Assert.Contains("03-broken.ipynb, line 1", _log.ToString(), StringComparison.Ordinal);
        Assert.Contains("There is no notebook", _log.ToString(), StringComparison.Ordinal);
        Assert.Contains("3 of 4 notebooks failed", _log.ToString(), StringComparison.Ordinal);
        Assert.Equal("42\n", NotebookDocument.Read(_folder.File("site/02-fine.ipynb")).Cells[0].OutputText);
        var aborted = NotebookDocument.Read(_folder.File("site/01-abort.ipynb"));
        Assert.Equal("so far\n", aborted.Cells[0].OutputText);
        Assert.Contains("ProcessEnded", aborted.Cells[1].OutputText, StringComparison.Ordinal);
        Assert.Contains("stopped at an error", File.ReadAllText(_folder.File("site/index.html")), StringComparison.Ordinal);

        Assert.Equal(0, await NotebookCommand.RunAsync([second], Site(), null, _log));
    }

    [Fact]
    public async Task Without_npm_the_pages_are_written_all_the_same_and_the_log_says_what_is_missing()
    {
        Chapter("01-page.ipynb", "# A\n\n$x^2$");
        var result = await NotebookRunner.RunAsync(_folder.File("01-page.ipynb"));
        var site = Site() with { KatexVersion = "0.0.1-none", Npm = "no-such-npm" };
        SitePublisher.Publish([result], site, _log);
        Assert.Contains("katex 0.0.1-none could not be fetched (no-such-npm is not installed); the copy of 0.16.22", _log.ToString(), StringComparison.Ordinal);
        Directory.Delete(Path.Combine(site.NpmFolder, "node_modules", "katex"), recursive: true);
        Directory.Delete(_folder.File("site"), recursive: true);
        SitePublisher.Publish([result], site, _log);
        Assert.Contains("there is no copy", _log.ToString(), StringComparison.Ordinal);
        var page = File.ReadAllText(_folder.File("site/01-page.html"));
        Assert.Contains("\\(x^2\\)", page, StringComparison.Ordinal);
        Assert.DoesNotContain("katex", page, StringComparison.Ordinal);
    }
}
