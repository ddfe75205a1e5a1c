using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Chapters;

/// <summary>Executes every notebook as a reader does, in a child process, and reads what it shows.</summary>
[Trait("Category", "Slow")]
public sealed partial class ChapterTests
{
    private static readonly string _folder = Path.Combine(Repository.Root, "notebooks");
    private static readonly ConcurrentDictionary<string, Lazy<Task<NotebookResult>>> _executed = new();

    public static TheoryData<string> Chapters => Names(_folder);

    public static TheoryData<string> Solutions => Names(Path.Combine(_folder, "solutions"));

    [Theory, MemberData(nameof(Chapters))]
    public async Task A_chapter_runs_to_its_end_within_its_memory(string name)
    {
        var result = await Execute(name);
        Assert.True(result.Succeeded, result.Failure?.ToString());
        Assert.InRange(result.PeakMemoryMiB, 0, 4096);
    }

    [Theory, MemberData(nameof(Chapters))]
    public async Task Every_exact_number_in_a_chapters_prose_is_printed_by_one_of_its_cells(string name)
    {
        var document = (await Execute(name)).Document;
        // The script that draws the figures is compressed: any digits may stand in it.
        var printed = string.Concat(document.CodeCells.SelectMany(cell => cell.OutputHtml.Where(html => !html.Contains("data-figure-script",
            StringComparison.Ordinal)).Append(cell.OutputText)));
        var quoted = document.Cells.Where(cell => cell.Kind == CellKind.Markdown)
            .SelectMany(cell => ExactNumber().Matches(cell.Source)).Select(match => match.Value).Distinct();
        Assert.All(quoted, number => Assert.True(
            printed.Contains(number, StringComparison.Ordinal) || printed.Contains(number.Replace(",", "", StringComparison.Ordinal), StringComparison.Ordinal),
            $"{number} is in the prose and in no output"));
    }

    [Theory, MemberData(nameof(Chapters))]
    public async Task The_exercises_of_a_chapter_are_open_and_solved_in_its_solutions(string name)
    {
        var open = (await Execute(name)).Document.CodeCells.Where(cell => cell.Tags.Contains("exercise")).ToList();
        var solved = (await Execute(Path.Combine("solutions", name))).Document.CodeCells.Where(cell => cell.Tags.Contains("solution")).ToList();
        Assert.NotEmpty(open);
        Assert.Equal(open.Count, solved.Count);
        Assert.All(open, cell => Assert.Contains("✘ Not yet", cell.OutputText, StringComparison.Ordinal));
        Assert.All(solved, cell => Assert.Contains("✔ Right", cell.OutputText, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Solutions))]
    public async Task A_solution_runs_to_its_end(string name)
    {
        var result = await Execute(Path.Combine("solutions", name));
        Assert.True(result.Succeeded, result.Failure?.ToString());
    }

    [Theory, MemberData(nameof(Chapters))]
    public void A_chapter_is_kept_without_outputs_and_begins_with_the_common_cell(string name)
    {
        foreach (var folder in (string[])["", "solutions"])
        {
            var cells = NotebookDocument.Read(Path.Combine(_folder, folder, name)).CodeCells.ToList();
            Assert.Equal(FirstCell, cells[0].Source.Replace("../../", "../", StringComparison.Ordinal));
            Assert.All(cells, cell => Assert.Empty(cell.Outputs));
        }
    }

    private const string FirstCell = """
        #r "../artifacts/workbook/MoeWorkbook.dll"

        using MoeWorkbook;
        using Plotly.NET.CSharp;
        using TorchSharp;
        using static TorchSharp.torch;

        NotebookDisplay.Register();
        """;

    /// <summary>A notebook's execution, the same one for every test that looks at it.</summary>
    internal static Task<NotebookResult> Execute(string name) =>
        _executed.GetOrAdd(name, _ => new(() => NotebookRunner.RunAsync(Path.Combine(_folder, name)))).Value;

    private static TheoryData<string> Names(string folder) =>
        [.. Directory.GetFiles(folder, "*.ipynb").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"\b\d{1,3}(,\d{3})+\b")]
    private static partial Regex ExactNumber();
}
