using System.Diagnostics;
using System.Text.Json.Nodes;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Notebooks;

/// <summary>What the runner makes of the kernel's events and of its end; what the kernel itself does is .NET Interactive's.</summary>
[Trait("Category", "Slow")]
public sealed class NotebookRunnerTests : IDisposable
{
    private readonly NotebookFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private async Task<NotebookCell[]> CellsAsync(params string[] cells)
    {
        var result = await _folder.RunAsync(cells);
        Assert.Null(result.Failure?.ToString());
        return [.. result.Document.CodeCells];
    }

    private static string Kind(JsonObject output) => output["output_type"]!.GetValue<string>();

    [Fact]
    public async Task Outputs_keep_their_order_and_have_the_forms_that_their_types_prefer()
    {
        var cells = await CellsAsync(
            """
            Console.Write("a");
            Console.WriteLine("b");
            "<b>bold</b>".DisplayAs("text/html");
            Console.Error.WriteLine("c");
            "text".Display();
            Console.WriteLine("d");
            "e"
            """,
            """
            class TypeFormatterSourceAttribute(Type source) : Attribute
            {
                public Type FormatterSourceType => source;
                public string[] PreferredMimeTypes { get; set; } = [];
            }
            class Formatter(string mime) { public string MimeType => mime; public bool Format(object value, System.IO.TextWriter writer) { writer.Write(mime + "!"); return true; } }
            class Source { public IEnumerable<object> CreateTypeFormatters() => [new Formatter("text/html"), new Formatter("text/plain")]; }
            [TypeFormatterSource(typeof(Source), PreferredMimeTypes = ["text/html", "text/plain"])]
            class Both;
            new Both()
            """,
            "\"{\\\"a\\\": [1]}\".DisplayAs(\"application/json\");");
        Assert.Equal(["stream", "display_data", "stream", "display_data", "stream", "execute_result"], cells[0].Outputs.Select(Kind));
        Assert.Equal("ab\nc\ntext\nd\ne\n", cells[0].OutputText);
        Assert.Equal(["<b>bold</b>"], cells[0].OutputHtml);
        Assert.Equal("stderr", cells[0].Outputs.ElementAt(2)["name"]!.GetValue<string>());
        var both = cells[1].Outputs.Single();
        Assert.Equal("""{"data":{"text/html":"text/html!","text/plain":"text/plain!"},"metadata":{},"output_type":"execute_result","execution_count":2}""", both.ToJsonString());
        Assert.Equal("[1]", cells[2].Outputs.Single()["data"]!["application/json"]!["a"]!.ToJsonString());
    }

    [Fact]
    public async Task A_cell_that_does_not_compile_is_named_with_its_line()
    {
        var result = await _folder.RunAsync("var fine = 1;", "var y = 2;\nvar z = unknown + y;\n", "\"never\"");
        var failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, 2, "var z = unknown + y;", "CompilationError"), (failure.Cell, failure.Line, failure.SourceLine, failure.Error));
        Assert.StartsWith("CS0103: ", failure.Message, StringComparison.Ordinal);
        NotebookCell[] cells = [.. result.Document.CodeCells];
        Assert.Equal("error", Kind(cells[1].Outputs.Single()));
        Assert.Null(cells[2].ExecutionCount);
        Assert.Empty(cells[2].Outputs);
    }

    [Theory]
    [InlineData("#r \"missing/Library.dll\"\n1", "missing/Library.dll")]
    [InlineData("1 +\n#!nonsense", "#!nonsense")]
    [InlineData("#load \"missing.csx\"", "missing.csx")]
    public async Task What_cannot_be_had_is_said_clearly(string code, string message) =>
        Assert.Contains(message, (await _folder.RunAsync(code)).Failure?.ToString(), StringComparison.Ordinal);

    [Fact]
    public async Task An_exception_is_traced_through_the_notebooks_own_lines()
    {
        File.WriteAllText(_folder.File("shared.csx"), "\nint Divide(int a, int b) => a / b;\n");
        var result = await _folder.RunAsync(
            "#load \"shared.csx\"",
            "int Share(int[] loads, int expert)\n{\n    return Divide(100, loads[expert]);\n}",
            "Console.WriteLine(\"before\");\n\nvar share = Share([1, 0], 1);\nConsole.WriteLine(\"after\");");
        var failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((3, 3, "System.DivideByZeroException", "Attempted to divide by zero."), (failure.Cell, failure.Line, failure.Error, failure.Message));
        var cell = result.Document.CodeCells.Last();
        Assert.StartsWith("before\nSystem.DivideByZeroException: ", cell.OutputText, StringComparison.Ordinal);
        string[] trace = [.. cell.Outputs.Last()["traceback"]!.AsArray().Select(line => line!.GetValue<string>())];
        Assert.Equal(["at shared.csx, line 2", "at cell 2, line 3: return Divide(100, loads[expert]);", "at cell 3, line 3: var share = Share([1, 0], 1);"], trace[1..]);
    }

    [Theory]
    [InlineData("Environment.FailFast(\"on purpose\");", "on purpose", 0)]
    [InlineData("new System.Threading.Thread(() => throw new InvalidOperationException(\"in a thread\")).Start();\nawait Task.Delay(9000);", "in a thread", 2)]
    [InlineData("[System.Runtime.InteropServices.DllImport(\"libc\")] static extern void abort();\nabort();", "SIGABRT", 0)]
    [InlineData("System.Diagnostics.Process.GetCurrentProcess().Kill();\nSystem.Threading.Thread.Sleep(9000);", "SIGKILL", 0)]
    [InlineData("int Deep(int n) => n < 0 ? 0 : 1 + Deep(n + 1) + Deep(n + 2);\nDeep(0)", "Stack overflow", 0)]
    [InlineData("Environment.Exit(0);", "exit code 0", 0)]
    public async Task A_process_that_ends_in_a_cell_is_that_cells_failure(string code, string meaning, int line)
    {
        var result = await _folder.RunAsync("var x = 1;", "Console.WriteLine(\"so far\");\n" + code);
        var failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, "ProcessEnded", line), (failure.Cell, failure.Error, failure.Line));
        Assert.Contains(meaning, failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("the last line that the cell printed: so far", failure.Message, StringComparison.Ordinal);
        Assert.Equal("error", Kind(result.Document.CodeCells.Last().Outputs.Last()));
    }

    [Fact]
    public async Task A_cell_that_never_ends_is_ended_with_all_that_it_started()
    {
        var path = _folder.Notebook("endless.ipynb", "var x = 1;",
            "Console.WriteLine(System.Diagnostics.Process.Start(\"dotnet\", [\"exec\", typeof(Microsoft.DotNet.Interactive.Kernel).Assembly.Location.Replace(\"Interactive.dll\", \"Interactive.App.dll\"), \"stdio\"]).Id);\nwhile (true) { }", "1");
        var result = await NotebookRunner.RunAsync(path, new NotebookOptions { CellTimeout = TimeSpan.FromSeconds(15) });
        var failure = Assert.IsType<CellFailure>(result.Failure);
        Assert.Equal((2, 0, "Timeout"), (failure.Cell, failure.Line, failure.Error));
        var printed = result.Document.CodeCells.ElementAt(1).OutputText.Split('\n')[0];
        Assert.Matches("^not done after 15 s .*the last line that the cell printed: ", failure.Message);
        Assert.True(await HasEndedAsync(int.Parse(printed)));
    }

    [Fact]
    public async Task A_notebook_has_a_limit_too()
    {
        var path = _folder.Notebook("long.ipynb", "1", "await Task.Delay(60000);");
        var result = await NotebookRunner.RunAsync(path, new NotebookOptions { NotebookTimeout = TimeSpan.FromSeconds(10) });
        Assert.Equal("Timeout", result.Failure?.Error);
        Assert.Contains("limit for a notebook", result.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_kernel_does_not_outlive_the_workbook()
    {
        var notebook = _folder.Notebook("endless.ipynb", "System.IO.File.WriteAllText(\"pid.tmp\", $\"{Environment.ProcessId}\");\nSystem.IO.File.Move(\"pid.tmp\", \"pid\");\nwhile (true) { }");
        using var workbook = Process.Start(new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "MoeWorkbook.Cli.dll"), "run",
            notebook, "--output", _folder.File("site")])
        { RedirectStandardError = true })!;
        for (var i = 0; i < 600 && !File.Exists(_folder.File("pid")); i++)
            await Task.Delay(100);
        var kernel = int.Parse(File.ReadAllText(_folder.File("pid")));
        workbook.Kill();
        await workbook.WaitForExitAsync();
        Assert.True(await HasEndedAsync(kernel));
    }

    [Fact]
    public async Task Text_from_native_code_and_other_processes_belongs_to_its_cell()
    {
        Needs.Unix();
        var cells = await CellsAsync(
            "[System.Runtime.InteropServices.DllImport(\"libc\")] static extern int puts(string text);\n[System.Runtime.InteropServices.DllImport(\"libc\")] static extern int printf(string text);\nputs(\"native\");",
            "Console.WriteLine(\"one\");\nprintf(\"{\\\"event\\\":{ begun, \");\nConsole.WriteLine(\"two\");\nputs(\"{\\\"event\\\":{}}\");",
            "System.Diagnostics.Process.Start(\"sh\", [\"-c\", \"echo child; echo error >&2; sleep 0.3\"]).WaitForExit();",
            "Console.WriteLine(\"managed\");");
        Assert.Equal("native\n", cells[0].OutputText);
        Assert.Equal("one\n{\"event\":{ begun, two\n{\"event\":{}}\n", cells[1].OutputText);
        Assert.Equal(["child\n", "error\n"], cells[2].OutputText.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().Select(line => line + "\n"));
        Assert.Equal("managed\n", cells[3].OutputText);
    }

    [Fact]
    public async Task The_kernel_stands_in_the_notebooks_folder_and_knows_nothing_of_the_workbook()
    {
        Directory.CreateDirectory(_folder.File("lib"));
        var assembly = typeof(Assert).Assembly.Location;
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(assembly)!, "xunit*.dll"))
            File.Copy(file, _folder.File(Path.Combine("lib", Path.GetFileName(file))));
        var cells = await CellsAsync(
            $"#r \"lib/{Path.GetFileName(assembly)}\"\nConsole.WriteLine(System.IO.Path.GetFileName(System.IO.Directory.GetCurrentDirectory()));\nXunit.Assert.Equal(1, 1);",
            // MoeWorkbook.dll lies beside the runner here; only a #r may bring it in.
            "string Load() { try { System.Reflection.Assembly.Load(\"MoeWorkbook\"); return \"found\"; } catch (System.IO.FileNotFoundException) { return \"not found\"; } }\nLoad()",
            "string.Concat(Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith(\"WORKBOOK_KERNEL\") || name == \"DOTNET_STARTUP_HOOKS\"))");
        Assert.Equal([Path.GetFileName(_folder.Path) + "\n", "not found\n", "\n"], cells.Select(cell => cell.OutputText));
    }

    [Fact]
    public async Task A_cell_of_another_language_goes_to_that_languages_kernel()
    {
        var document = new NotebookDocument();
        document.Add(CellKind.Code, "<i>markup</i>").Metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = "html" };
        document.Write(_folder.File("html.ipynb"));
        var result = await NotebookRunner.RunAsync(_folder.File("html.ipynb"));
        Assert.Equal(["<i>markup</i>"], result.Document.Cells[0].OutputHtml);
    }

    [Fact]
    public async Task A_run_changes_nothing_but_outputs_and_its_own_measurements()
    {
        var path = _folder.Notebook("twice.ipynb", "new { A = 1 }", "Console.WriteLine(2)");
        var before = File.ReadAllText(path);
        var first = await NotebookRunner.RunAsync(path);
        var second = await NotebookRunner.RunAsync(path);
        Assert.Equal(before, File.ReadAllText(path));
        foreach (var result in (NotebookResult[])[first, second])
        {
            Assert.InRange(result.Document.Metadata["workbook"]!["seconds"]!.GetValue<double>(), 0.1, 60);
            Assert.InRange(result.Document.Metadata["workbook"]!["peak_memory_mib"]!.GetValue<double>(), 20, 2000);
            result.Document.Metadata.Remove("workbook");
        }
        Assert.Equal(first.Document.ToString(), second.Document.ToString());
    }

    private static async Task<bool> HasEndedAsync(int process)
    {
        for (var i = 0; i < 100; i++)
        {
            try
            {
                using var running = Process.GetProcessById(process);
                if (running.HasExited)
                    return true;
            }
            catch (ArgumentException)
            {
                return true;
            }
            await Task.Delay(100);
        }
        return false;
    }
}
