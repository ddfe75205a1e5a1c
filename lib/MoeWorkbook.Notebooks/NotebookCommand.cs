namespace MoeWorkbook.Notebooks;

/// <summary>Runs notebooks one after the other and publishes them: what <c>workbook run</c> does.</summary>
public static class NotebookCommand
{
    /// <summary>Executes every notebook whatever happens to the others, and writes the site.</summary>
    /// <param name="notebooks">The .ipynb files.</param>
    /// <param name="site">Where to publish; null publishes nothing.</param>
    /// <param name="options">Limits; null for the usual ones.</param>
    /// <param name="log">Takes progress, failures and what was measured: standard error.</param>
    /// <param name="cancellation">Ends the run.</param>
    /// <returns>The process's exit code: 0 when every cell of every notebook ran, otherwise 1.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> notebooks, SiteOptions? site, NotebookOptions? options, TextWriter log, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(notebooks);
        ArgumentNullException.ThrowIfNull(log);
        var results = new List<NotebookResult>();
        var failed = new List<string>();
        foreach (var notebook in notebooks)
        {
            using var progress = new ProgressLine(log);
            try
            {
                var result = await NotebookRunner.RunAsync(notebook, options, progress, cancellation);
                results.Add(result);
                progress.End($"{notebook}: {(result.Succeeded ? "done" : "FAILED")} in {result.Seconds:0.0} s, peak memory {result.PeakMemoryMiB:0} MiB");
                if (result.Failure is not { } failure)
                    continue;
                failed.Add(notebook);
                log.WriteLine("  " + failure.ToString().ReplaceLineEndings("\n  "));
            }
            catch (Exception e) when (e is IOException or InvalidDataException or InvalidOperationException)
            {
                failed.Add(notebook);
                progress.End($"{notebook}: FAILED\n  {e.Message}");
            }
        }
        if (site is not null)
        {
            SitePublisher.Publish(results, site, log);
            log.WriteLine($"{Path.Combine(site.Folder, "index.html")}");
        }
        if (failed.Count > 0)
            log.WriteLine($"{failed.Count} of {notebooks.Count} notebooks failed: {string.Join(", ", failed)}");
        return failed.Count == 0 ? 0 : 1;
    }
}
