using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Notebooks;

public sealed class NotebookRunnerTests : IDisposable
{
    private readonly NotebookFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string[] Texts(NotebookResult result) => [.. result.Document.CodeCells.Select(cell => cell.OutputText)];

    private async Task<string[]> TextsAsync(params string[] cells)
    {
        NotebookResult result = await _folder.RunAsync(cells);
        Assert.Null(result.Failure?.ToString());
        return Texts(result);
    }

    [Fact]
    public async Task The_last_expression_is_the_cells_value_and_state_goes_on_from_cell_to_cell()
    {
        string[] texts = await TextsAsync(
            "int Twice(int n) => 2 * n;\nvar x = 20;",
            "x += 1;\nTwice(x)",
            "x = x;",
            "record Row(string Name, double Share);\nawait Task.FromResult(x) + 0.5",
            "null as string",
            "Console.WriteLine(\"no value\")");
        Assert.Equal(["", "42\n", "", "21.5\n", "<null>\n", "no value\n"], texts);
    }

    [Fact]
    public async Task Outputs_keep_their_order_whatever_they_are()
    {
        NotebookResult result = await _folder.RunAsync("""
            Console.Write("a");
            Console.WriteLine("b");
            "<b>bold</b>".DisplayAs("text/html");
            Console.Error.WriteLine("c");
            42.Display();
            Console.WriteLine("d");
            "e"
            """);
        Assert.Null(result.Failure);
        NotebookCell cell = result.Document.Cells[0];
        Assert.Equal(["stream", "display_data", "stream", "display_data", "stream", "execute_result"],
            cell.Outputs.Select(output => output["output_type"]!.GetValue<string>()));
        Assert.Equal("ab\nc\n42\nd\ne\n", cell.OutputText);
        Assert.Equal(["<b>bold</b>"], cell.OutputHtml);
        Assert.Equal("stderr", cell.Outputs.ElementAt(2)["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task Types_show_themselves_by_the_kernels_conventions()
    {
        NotebookResult result = await _folder.RunAsync(
            """
            class TypeFormatterSourceAttribute(Type source) : Attribute
            {
                public Type FormatterSourceType => source;
                public string[] PreferredMimeTypes { get; set; } = [];
            }
            class Formatter(string mime) { public string MimeType => mime; public bool Format(object value, System.IO.TextWriter writer) { writer.Write(mime + "!"); return true; } }
            class Source { public IEnumerable<object> CreateTypeFormatters() => [new Formatter("text/html"), new Formatter("text/plain"), new Formatter("text/csv")]; }
            [TypeFormatterSource(typeof(Source), PreferredMimeTypes = ["text/html", "text/plain"])]
            class ByAttribute;
            class Inherited : ByAttribute;
            class ByMethod { public string ToHtml() => "<i>method</i>"; public override string ToString() => "method"; }
            new ByAttribute()
            """,
            "new Inherited()",
            "new ByMethod()",
            "new[] { (1, \"a<b\"), (2, \"c\") }",
            "record Row(string Name, double Share);\nnew[] { new Row(\"x\", 0.25), new Row(\"y\", 0.75) }",
            "new Row(\"x\", 0.25)",
            "new Dictionary<string, int> { [\"a\"] = 1 }",
            "Enumerable.Range(1, 3)",
            "new { A = 1 }");
        Assert.Null(result.Failure?.ToString());
        string[] html = [.. result.Document.CodeCells.Select(cell => string.Concat(cell.OutputHtml).Replace("\n", "", StringComparison.Ordinal))];
        Assert.Equal("text/html!", html[0]);
        Assert.Equal("text/html!", html[1]);
        Assert.Equal("<i>method</i>", html[2]);
        Assert.Contains("<td>a&lt;b</td>", html[3], StringComparison.Ordinal);
        Assert.Contains("<th>Name</th><th style=\"text-align:right\">Share</th>", html[4], StringComparison.Ordinal);
        Assert.Contains("<th>Share</th><td style=\"text-align:right\">0.25</td>", html[5], StringComparison.Ordinal);
        Assert.Contains("<td>a</td><td style=\"text-align:right\">1</td>", html[6], StringComparison.Ordinal);
        Assert.Equal("", html[7]);
        Assert.Contains("<th>A</th>", html[8], StringComparison.Ordinal);
        string[] texts = Texts(result);
        Assert.Equal("text/plain!\n", texts[0]);
        Assert.Equal("method\n", texts[2]);
        Assert.Equal("[ (1, a<b), (2, c) ]\n", texts[3]);
        Assert.Equal("Row { Name = x, Share = 0.25 }\n", texts[5]);
        Assert.Equal("[ 1, 2, 3 ]\n", texts[7]);
    }

    [Fact]
    public async Task Endless_and_circular_values_are_shown_in_part()
    {
        string[] texts = await TextsAsync(
            "class Node { public Node Next { get; set; } public int Throws => throw new Exception(\"no\"); public ReadOnlySpan<int> Span => default; }\nvar node = new Node();\nnode.Next = node;\nnode",
            "IEnumerable<int> Endless() { for (int i = 0; ; i++) yield return i; }\nEndless()",
            "new object[] { 1, new[] { 2, 3 }, new Node() }");
        Assert.StartsWith("Node { Next = Node, Throws = Exception: no, Span = ", texts[0], StringComparison.Ordinal);
        Assert.EndsWith("48, 49, … ]\n", texts[1], StringComparison.Ordinal);
        Assert.Equal("[ 1, [ 2, 3 ], Node ]\n", texts[2]);
    }

    [Fact]
    public async Task A_cell_that_does_not_compile_is_named_with_its_line()
    {
        NotebookResult result = await _folder.RunAsync("var fine = 1;", "var y = 2;\nvar z = unknown + y;\n", "\"never\"");
        CellFailure failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, 2, "var z = unknown + y;", "CompilationError"), (failure.Cell, failure.Line, failure.SourceLine, failure.Error));
        Assert.Contains("CS0103", failure.Message, StringComparison.Ordinal);
        NotebookCell[] cells = [.. result.Document.CodeCells];
        Assert.Equal("error", cells[1].Outputs.Single()["output_type"]!.GetValue<string>());
        Assert.Null(cells[2].ExecutionCount);
        Assert.Empty(cells[2].Outputs);
    }

    [Fact]
    public async Task An_exception_is_traced_through_the_scripts_own_lines()
    {
        NotebookResult result = await _folder.RunAsync(
            "int Share(int[] loads, int expert)\n{\n    return 100 / loads[expert];\n}",
            "Console.WriteLine(\"before\");\n\nvar share = Share([1, 0], 1);\nConsole.WriteLine(\"after\");");
        CellFailure failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, 3, "System.DivideByZeroException"), (failure.Cell, failure.Line, failure.Error));
        NotebookCell cell = result.Document.CodeCells.Last();
        Assert.StartsWith("before\nSystem.DivideByZeroException: ", cell.OutputText, StringComparison.Ordinal);
        string[] trace = [.. cell.Outputs.Last()["traceback"]!.AsArray().Select(line => line!.GetValue<string>())];
        Assert.Equal(["at cell 1, line 3: return 100 / loads[expert];", "at cell 2, line 3: var share = Share([1, 0], 1);"], trace[1..]);
    }

    [Theory]
    [InlineData("Environment.FailFast(\"on purpose\");", "on purpose")]
    [InlineData("new System.Threading.Thread(() => throw new InvalidOperationException(\"in a thread\")).Start();\nawait Task.Delay(9000);", "in a thread")]
    [InlineData("[System.Runtime.InteropServices.DllImport(\"libc\")] static extern void abort();\nabort();", "SIGABRT")]
    [InlineData("System.Diagnostics.Process.GetCurrentProcess().Kill();\nSystem.Threading.Thread.Sleep(9000);", "SIGKILL")]
    [InlineData("int Deep(int n) => n < 0 ? 0 : 1 + Deep(n + 1) + Deep(n + 2);\nDeep(0)", "Stack overflow")]
    [InlineData("Environment.Exit(0);", "exit code 0")]
    public async Task A_process_that_ends_in_a_cell_is_that_cells_failure(string code, string meaning)
    {
        NotebookResult result = await _folder.RunAsync("var x = 1;", "Console.Write(\"so far\");\n" + code);
        CellFailure failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, "ProcessEnded"), (failure.Cell, failure.Error));
        Assert.Contains(meaning, failure.Message, StringComparison.Ordinal);
        Assert.True(failure.Line >= 2, $"line {failure.Line}");
        Assert.Contains("so far", result.Document.CodeCells.Last().OutputText, StringComparison.Ordinal);
        Assert.Equal("error", result.Document.CodeCells.Last().Outputs.Last()["output_type"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_cell_that_never_ends_is_ended_and_its_line_named()
    {
        string path = _folder.Notebook("endless.ipynb", "var x = 1;", "x++;\nConsole.WriteLine(\"on\");\nwhile (true) { }", "1");
        var clock = Stopwatch.StartNew();
        NotebookResult result = await NotebookRunner.RunAsync(path, new NotebookOptions { CellTimeout = TimeSpan.FromSeconds(8) });
        CellFailure failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, 3, "while (true) { }", "Timeout"), (failure.Cell, failure.Line, failure.SourceLine, failure.Error));
        Assert.Contains("8 s", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("on\n", result.Document.CodeCells.ElementAt(1).OutputText, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_notebook_has_a_limit_too()
    {
        string path = _folder.Notebook("long.ipynb", "1", "await Task.Delay(60000);");
        NotebookResult result = await NotebookRunner.RunAsync(path, new NotebookOptions { NotebookTimeout = TimeSpan.FromSeconds(4) });
        Assert.Equal("Timeout", result.Failure?.Error);
        Assert.Contains("limit for a notebook", result.Failure!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#r \"missing/Library.dll\"\n1", "missing/Library.dll")]
    [InlineData("#r \"nuget: TorchSharp\"\n1", "restores no packages")]
    [InlineData("#!markdown\n# Title", "magic commands")]
    [InlineData("#load \"missing.csx\"", "missing.csx")]
    public async Task What_cannot_be_had_is_said_clearly(string code, string message)
    {
        NotebookResult result = await _folder.RunAsync(code);
        Assert.Contains(message, result.Failure?.ToString(), StringComparison.Ordinal);
        Assert.Equal((1, 1), (result.Failure!.Cell, result.Failure.Line));
    }

    [Fact]
    public async Task A_raw_string_may_look_like_a_magic_command() =>
        Assert.Equal(["#!sh\n"], await TextsAsync("var text = \"\"\"\n#!sh\n\"\"\";\ntext"));

    [Fact]
    public async Task An_assembly_is_referenced_from_the_notebooks_folder_as_often_as_one_likes()
    {
        Directory.CreateDirectory(_folder.File("lib"));
        string assembly = typeof(Assert).Assembly.Location;
        foreach (string file in Directory.GetFiles(Path.GetDirectoryName(assembly)!, "xunit*.dll"))
            File.Copy(file, _folder.File(Path.Combine("lib", Path.GetFileName(file))));
        string reference = $"#r \"lib/{Path.GetFileName(assembly)}\"\n";
        string[] texts = await TextsAsync(
            reference + reference + "using Xunit;\nAssert.Equal(1, 1);\ntypeof(Assert).Assembly.Location.StartsWith(System.IO.Directory.GetCurrentDirectory())",
            reference + "typeof(Assert).Name");
        Assert.Equal(["True\n", "Assert\n"], texts);
    }

    [Fact]
    public async Task What_a_referenced_assembly_references_lies_beside_it_and_needs_no_reference_of_its_own()
    {
        Directory.CreateDirectory(_folder.File("lib"));
        string inner = Compile("Inner", "namespace Inner; public class Tensor { public int Rank => 3; }");
        string middle = Compile("Middle", "namespace Middle; public class Layer { public Inner.Tensor Weight => new(); }", inner);
        Compile("Outer", "namespace Outer; public class Model : Middle.Layer;", inner, middle);
        string[] texts = await TextsAsync(
            "#r \"lib/Outer.dll\"\nusing Outer;\nusing Inner;\nTensor weight = new Model().Weight;\nweight.Rank",
            "#r \"lib/Outer.dll\"\nvar other = new Tensor();\nother.Rank + weight.Rank");
        Assert.Equal(["3\n", "6\n"], texts);

        string Compile(string name, string source, params string[] references)
        {
            string path = _folder.File(Path.Combine("lib", name + ".dll"));
            IEnumerable<string> all = [typeof(object).Assembly.Location, Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Runtime.dll"), .. references];
            var compiled = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(source)],
                all.Select(file => MetadataReference.CreateFromFile(file)), new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).Emit(path);
            Assert.True(compiled.Success, string.Join("\n", compiled.Diagnostics));
            return path;
        }
    }

    [Fact]
    public async Task The_applications_own_assemblies_are_not_seen_by_a_notebook()
    {
        // MoeWorkbook.dll lies beside the runner here; only a #r may bring it in.
        Assert.True(File.Exists(Path.Combine(AppContext.BaseDirectory, "MoeWorkbook.dll")));
        string[] texts = await TextsAsync(
            "string Load() { try { System.Reflection.Assembly.Load(\"MoeWorkbook\"); return \"found\"; } catch (System.IO.FileNotFoundException) { return \"not found\"; } }\nLoad()");
        Assert.Equal(["not found\n"], texts);
    }

    [Fact]
    public async Task Another_file_is_loaded_from_the_notebooks_folder()
    {
        File.WriteAllText(_folder.File("shared.csx"), "int Answer() => 42;\n");
        Assert.Equal(["42\n"], await TextsAsync("#load \"shared.csx\"\nAnswer()"));
    }

    [Fact]
    public async Task Text_from_native_code_belongs_to_its_cell()
    {
        if (OperatingSystem.IsWindows())
            return;
        string[] texts = await TextsAsync(
            "[System.Runtime.InteropServices.DllImport(\"libc\")] static extern int puts(string text);\nputs(\"native\");",
            "System.Diagnostics.Process.Start(\"sh\", [\"-c\", \"echo child\"]).WaitForExit();",
            "Console.WriteLine(\"managed\");");
        Assert.Equal(["native\n", "child\n", "managed\n"], texts);
    }

    [Fact]
    public async Task The_environment_and_the_folder_are_the_notebooks()
    {
        string[] texts = await TextsAsync("System.IO.Path.GetFileName(System.IO.Directory.GetCurrentDirectory())", "Console.In.ReadLine()");
        Assert.Equal([Path.GetFileName(_folder.Path) + "\n", "<null>\n"], texts);
    }

    [Fact]
    public async Task A_run_changes_nothing_but_outputs_and_its_own_measurements()
    {
        string path = _folder.Notebook("twice.ipynb", "new { A = 1 }", "Console.WriteLine(2)");
        string before = File.ReadAllText(path);
        NotebookResult first = await NotebookRunner.RunAsync(path);
        NotebookResult second = await NotebookRunner.RunAsync(path);
        Assert.Equal(before, File.ReadAllText(path));
        foreach (NotebookResult result in (NotebookResult[])[first, second])
        {
            Assert.InRange(result.Document.Metadata["workbook"]!["seconds"]!.GetValue<double>(), 0.1, 60);
            Assert.InRange(result.Document.Metadata["workbook"]!["peak_memory_mib"]!.GetValue<double>(), 20, 2000);
            result.Document.Metadata.Remove("workbook");
        }
        Assert.Equal(first.Document.ToString(), second.Document.ToString());
    }
}
