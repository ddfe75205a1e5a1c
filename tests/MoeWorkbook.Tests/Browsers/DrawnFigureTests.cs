using System.Text.Json;
using System.Xml.Linq;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Browsers;

/// <summary>Figures as a browser draws them that reaches nothing but this machine.</summary>
[Trait("Category", "Slow")]
public sealed class DrawnFigureTests
{
    private const string Bars = "document.querySelectorAll('.js-plotly-plot .bars .point path').length";

    private static readonly string[] _names = ["a", "b", "c"];

    private static Plotly.NET.GenericChart Chart { get; } = Plotly.NET.CSharp.Chart.Column<double, string, string>(values: [3.0, 1.0, 2.0], Keys: _names);

    private static Figure Figure { get; } = MoeWorkbook.Figures.Times([new("first", [0.01], new(0.010, 0.009, 0.012)),
        new("second", [0.02], new(0.020, 0.019, 0.022))], "Two times", "The second is longer.");

    [Fact]
    public async Task A_published_page_draws_a_bare_chart_and_a_figure_and_starts_a_live_one()
    {
        Needs.Browser();
        using var folder = new TemporaryDirectory();
        string root = Directory.CreateDirectory(folder.Path("notebooks")).FullName, site = Directory.CreateDirectory(folder.Path("site")).FullName;
        var notebook = Notebook([("NotebookDisplay.Register();", FigureScript.Current.ToHtml()), ("chart", NotebookDisplay.ToHtml(Chart)), ("figure", Figure.ToHtml()),
            ("live", LiveFigures.WhatFits([ModelCatalog.Find("mixtral-8x7b")]).ToHtml())]);
        foreach (var place in (string[])[root, site]) await File.WriteAllTextAsync(Path.Combine(place, "01-page.ipynb"), notebook);
        SitePublisher.Publish([],
            new() { Root = root, Folder = site, NpmFolder = folder.Path("npm"), Npm = "no-such-npm", FigureScript = FigureScript.JavaScript }, TextWriter.Null);

        await using var page = await OfflinePage.OpenAsync();
        await page.GoToAsync(new Uri(Path.Combine(site, "01-page.html")).AbsoluteUri);
        await page.WaitAsync($"{Bars} === 5 && document.querySelector('[data-live]').live");
        Assert.Equal(2, (int)(await page.EvaluateAsync("document.querySelectorAll('path.yerror').length"))!);
        Assert.False((bool)(await page.EvaluateAsync("document.body.textContent.includes('first cell')"))!);
        AssertNothingIn(page.Problems);
    }

    // As editors do it: markup is put in, and its scripts are run afterwards, in a place that may not be in the document yet.
    [Fact]
    public async Task Figures_wait_for_their_script_in_whatever_order_outputs_come()
    {
        Needs.Browser();
        await using var page = await OfflinePage.OpenAsync();
        await page.EvaluateAsync("""
            window.show = function (html) {
              var output = document.createElement("div");
              output.innerHTML = html;
              output.querySelectorAll("script").forEach(function (script) {
                var copy = document.createElement("script");
                if (script.type) copy.type = script.type;
                copy.textContent = script.textContent;
                script.replaceWith(copy);
              });
              document.body.append(output);
              output.querySelectorAll("script:not([type])").forEach(function (script) { (0, eval)(script.textContent); });
            };
            """);
        await page.EvaluateAsync($"show({JsonSerializer.Serialize(Figure.ToHtml())})");
        Assert.Contains("first cell", (string)(await page.EvaluateAsync("document.querySelector('[data-figure]').textContent"))!, StringComparison.Ordinal);
        for (var time = 0; time < 2; time++) await page.EvaluateAsync($"show({JsonSerializer.Serialize(FigureScript.Current.ToHtml())})");
        await page.WaitAsync($"{Bars} === 2");
        await page.EvaluateAsync($"show({JsonSerializer.Serialize(Figure.ToHtml())}); show({JsonSerializer.Serialize(NotebookDisplay.ToHtml(Chart))})");
        await page.WaitAsync($"{Bars} === 7");
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task The_classic_Notebook_draws_what_the_real_kernel_sends_and_again_when_it_is_opened_anew()
    {
        Needs.ClassicNotebook();
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", $"classic-{Guid.NewGuid():N}")).FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "drawn.ipynb"), Notebook(
            [
                ($"#r \"{Path.Combine(Repository.Root, "artifacts", "workbook", "MoeWorkbook.dll")}\"\n\nusing MoeWorkbook;\nusing Plotly.NET.CSharp;\n\nNotebookDisplay.Register();", null),
                ("Chart.Column<double, string, string>(values: new[] { 3.0, 1.0, 2.0 }, Keys: new[] { \"a\", \"b\", \"c\" })", null),
                ("Chart.Column<double, string, string>(values: new[] { 3.0, 1.0 }, Keys: new[] { \"a\", \"b\" }).Display();", null),
                ("Figures.Times([new(\"first\", [0.01], new(0.010, 0.009, 0.012)), new(\"second\", [0.02], new(0.020, 0.019, 0.022))], \"Two times\", \"The second is longer.\")", null),
            ]));
            await using var notebook = await ClassicNotebook.StartAsync(folder);
            await using var page = await OfflinePage.OpenAsync();
            await page.GoToAsync($"{notebook.Address}/notebooks/drawn.ipynb");
            await page.WaitAsync("Jupyter.notebook.kernel && Jupyter.notebook.kernel.is_connected()");
            await page.EvaluateAsync("Jupyter.notebook.execute_all_cells()");
            await page.WaitAsync($"{Bars} === 7", seconds: 120);

            await page.EvaluateAsync("Jupyter.notebook.save_notebook()");
            await page.GoToAsync($"{notebook.Address}/notebooks/drawn.ipynb?again");
            await page.WaitAsync($"location.search && {Bars} === 7");
            // The Notebook itself asks for an extension that Debian ships apart.
            AssertNothingIn(page.Problems.Where(problem => !problem.Contains("/nbextensions/widgets/", StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_figure_is_saved_as_a_picture_of_the_asked_size()
    {
        Needs.Browser();
        using var folder = new TemporaryDirectory();
        await Figure.SaveAsync(folder.Path("figure.png"), width: 400, height: 300);
        var png = await File.ReadAllBytesAsync(folder.Path("figure.png"));
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], png[..4]);
        Assert.Equal((800, 600), (System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)),
            System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))));

        await using var page = await PicturePage.OpenAsync();
        await page.SaveAsync(Figure, folder.Path("figure.svg"), scale: 1);
        var svg = XElement.Parse(await File.ReadAllTextAsync(folder.Path("figure.svg")));
        Assert.Equal(("svg", "800", "420"), (svg.Name.LocalName, (string?)svg.Attribute("width"), (string?)svg.Attribute("height")));
        Assert.Equal(2, svg.Descendants().Count(group => (string?)group.Attribute("class") == "point"));
        Assert.Contains("'.gif' ", (await Assert.ThrowsAsync<ArgumentException>(() => page.SaveAsync(Figure, ".gif"))).Message, StringComparison.Ordinal);
        Assert.Equal(["figure.png", "figure.svg"], Directory.GetFiles(folder.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Without_a_browser_the_error_says_what_was_looked_for_and_what_to_install()
    {
        var message = (await Assert.ThrowsAsync<FileNotFoundException>(() => HeadlessBrowser.StartAsync(["no-such-browser", "/none/either"]))).Message;
        Assert.Contains("(looked for no-such-browser, /none/either)", message, StringComparison.Ordinal);
        Assert.Contains("apt-get install chromium", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private static void AssertNothingIn(IEnumerable<string> problems) => Assert.True(!problems.Any(), string.Join('\n', problems));

    private static string Notebook(IEnumerable<(string Source, string? Html)> cells) => JsonSerializer.Serialize(new
    {
        cells = cells.Select((cell, i) => new
        {
            cell_type = "code",
            execution_count = (int?)null,
            id = $"cell-{i}",
            metadata = new { },
            source = cell.Source,
            outputs = cell.Html is null
                ? (object[])[]
                : [new { output_type = "display_data", metadata = new { }, data = new Dictionary<string, string> { ["text/html"] = cell.Html } }],
        }),
        metadata = new { kernelspec = new { display_name = ".NET (C#)", language = "C#", name = ".net-csharp" }, language_info = new { name = "C#" } },
        nbformat = 4,
        nbformat_minor = 5,
    });
}
