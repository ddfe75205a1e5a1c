using System.Diagnostics;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Notebooks;

/// <summary>Executes notebooks in .NET Interactive's kernel, each in a process of its own.</summary>
public static class NotebookRunner
{
    /// <summary>Executes a notebook's code cells in order, up to the first that fails. The file itself is not changed.</summary>
    /// <param name="path">The .ipynb file; its folder is the working directory, and what <c>#r</c> and <c>#load</c> start from.</param>
    /// <param name="options">Limits; null for the usual ones.</param>
    /// <param name="progress">Told when a cell begins, and once a second while it goes on.</param>
    /// <param name="cancellation">Ends the run and the notebook's process.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no notebook.</exception>
    public static async Task<NotebookResult> RunAsync(
        string path, NotebookOptions? options = null, IProgress<NotebookProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new NotebookOptions();
        var document = NotebookDocument.Read(path);
        document.DescribeKernel();
        var cells = document.CodeCells.Where(cell => cell.Source.Trim().Length > 0).ToList();
        foreach (var cell in document.CodeCells)
            cell.ClearOutputs();

        var fullPath = Path.GetFullPath(path);
        var clock = Stopwatch.StartNew();
        CellFailure? failure = null;
        await using var kernel = await KernelProcess.StartAsync(Path.GetDirectoryName(fullPath)!, cancellation);
        for (var i = 0; i < cells.Count && failure is null; i++)
        {
            var cell = cells[i];
            var number = i + 1;
            cell.ExecutionCount = number;
            var left = options.NotebookTimeout - clock.Elapsed;
            var notebookEndsFirst = left < options.CellTimeout;
            var running = kernel.ExecuteAsync(cell, number,
                notebookEndsFirst ? Larger(left, TimeSpan.FromMilliseconds(1)) : options.CellTimeout,
                notebookEndsFirst ? "the limit for a notebook" : "the limit for a cell", cancellation);

            var began = clock.Elapsed.TotalSeconds;
            do
            {
                kernel.SampleMemory();
                progress?.Report(new NotebookProgress(path, number, cells.Count, clock.Elapsed.TotalSeconds - began, clock.Elapsed.TotalSeconds));
            }
            while (await Task.WhenAny(running, Task.Delay(1000, cancellation)) != running && !running.IsCompleted);

            if (await running is { } error)
                failure = Fail(cell, number, error);
        }

        kernel.SampleMemory();
        var seconds = clock.Elapsed.TotalSeconds;
        var peak = kernel.PeakMemory / (double)(1 << 20);
        document.Metadata["workbook"] = new JsonObject { ["seconds"] = Math.Round(seconds, 1), ["peak_memory_mib"] = Math.Round(peak) };
        return new NotebookResult(fullPath, document, seconds, peak, failure);

        static TimeSpan Larger(TimeSpan a, TimeSpan b) => a > b ? a : b;
    }

    private static CellFailure Fail(NotebookCell cell, int number, CellError error)
    {
        var sourceLine = cell.Source.Split('\n').ElementAtOrDefault(error.Line - 1) ?? "";
        var failure = new CellFailure(number, error.Line, sourceLine, error.Name, error.Message);
        IEnumerable<string> trace = error.Trace.Count > 0 ? error.Trace : [failure.ToString().Split('\n')[0]];
        cell.AddOutput(new JsonObject
        {
            ["ename"] = error.Name,
            ["evalue"] = error.Message,
            ["output_type"] = "error",
            ["traceback"] = new JsonArray([.. trace.Prepend($"{error.Name}: {error.Message}").Select(line => JsonValue.Create(line))]),
        });
        return failure;
    }
}
