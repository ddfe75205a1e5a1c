using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using MoeWorkbook.Notebooks;
using MoeWorkbook.Tests.Chapters;

namespace MoeWorkbook.Tests.Notebooks;

/// <summary>Chapters as C# files.</summary>
public sealed class NotebookScriptTests
{
    private static readonly Lazy<MetadataReference[]> _references = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))]);

    [Fact]
    public void Cells_become_statements_shown_values_calls_prose_comments_and_types_stand_at_the_end()
    {
        var document = new NotebookDocument();
        document.Add(CellKind.Markdown, "# 99 · Title\n\nProse.");
        document.Add(CellKind.Code, "#r \"../artifacts/workbook/MoeWorkbook.dll\"\n\nusing System.Text;\n\nNotebookDisplay.Register();");
        document.Add(CellKind.Code, "record Pair(int A, int B);\n\npublic static int Sum(Pair pair) => pair.A + pair.B;\n\nvar pair = new Pair(1, 2);\n// both\nSum(pair)");
        var script = NotebookScript.Of(document, "99-title", "../lib", "../notebooks");
        Assert.StartsWith("#:project ../lib\n", script, StringComparison.Ordinal);
        Assert.Contains("\nusing System.Text;\n", script, StringComparison.Ordinal);
        Assert.Contains("// # 99 · Title\n//\n// Prose.\n", script, StringComparison.Ordinal);
        Assert.Contains("static int Sum(Pair pair) => pair.A + pair.B;\n\nvar pair = new Pair(1, 2);\n// both\npage.Show(Sum(pair));\n", script, StringComparison.Ordinal);
        Assert.EndsWith("\nrecord Pair(int A, int B);\n", script, StringComparison.Ordinal);
        Assert.DoesNotContain("#r", script, StringComparison.Ordinal);
        Assert.DoesNotContain("Register", script, StringComparison.Ordinal);
        Assert.DoesNotContain("public", script, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cell_that_is_no_CSharp_is_named_with_its_line()
    {
        var document = new NotebookDocument();
        document.Add(CellKind.Code, "var a = 1;\nvar b = ;");
        Assert.Contains("cells[0], line 2: ", Assert.Throws<InvalidDataException>(() => NotebookScript.Of(document, "a", "", "")).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(ChapterTests.Chapters), MemberType = typeof(ChapterTests))]
    public void Every_chapter_compiles_as_a_script(string name)
    {
        const string implicitly = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; "
            + "global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;";
        var script = NotebookScript.Of(NotebookDocument.Read(Path.Combine(Repository.Root, "notebooks", name)), Path.GetFileNameWithoutExtension(name), "", "");
        var source = string.Join('\n', script.Split('\n').Where(line => !line.StartsWith("#:", StringComparison.Ordinal)));
        var compiled = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(implicitly), CSharpSyntaxTree.ParseText(source)], _references.Value,
            new(OutputKind.ConsoleApplication, allowUnsafe: true));
        Assert.Empty(compiled.GetDiagnostics().Where(told => told.Severity == DiagnosticSeverity.Error));
    }

    [Fact, Trait("Category", "Slow")]
    public async Task A_script_runs_without_a_kernel_and_leaves_a_page_with_its_figures()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "scripts", "test")).FullName;
        var path = Path.Combine(folder, "03b.cs");
        NotebookScript.Write(Path.Combine(Repository.Root, "notebooks", "03b-gradients-and-balance.ipynb"), path, Path.Combine(Repository.Root, "lib", "MoeWorkbook"));
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["run", path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath()
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await output + await errors);
        Assert.Contains("✘ Not yet", await output, StringComparison.Ordinal);
        Assert.Contains("data-figure=", File.ReadAllText(Path.ChangeExtension(path, ".html")), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }
}
