using System.CommandLine;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Cli;

/// <summary><c>run</c>: executes notebooks and publishes them as pages.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var notebooks = new Argument<string[]>("notebooks")
        {
            Description = "Notebooks to execute: files, or names in notebooks/ such as 01 or 01-counting-parameters. By default all chapters and their solutions.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var site = new Option<string?>("--output") { Description = "The folder for executed notebooks and pages. By default artifacts/site." };
        var timeout = NumberOption.Real<double?>("--cell-timeout", "Seconds after which a cell is given up: 300, or 1800 at full scale.", 1, 86_400);
        var command = new Command("run", "Execute notebooks; write executed notebooks and readable pages.") { notebooks, site, timeout };
        command.SetAction((parsed, cancellation) =>
        {
            var root = WorkingCopy.Root();
            var seconds = parsed.GetValue(timeout) ?? (Environment.GetEnvironmentVariable("WORKBOOK_SCALE") == "full" ? 1800 : 300);
            var options = new NotebookOptions { CellTimeout = TimeSpan.FromSeconds(seconds) };
            var pages = new SiteOptions
            {
                Folder = Path.GetFullPath(parsed.GetValue(site) ?? Path.Combine(root, "artifacts", "site")),
                Root = Path.Combine(root, "notebooks"),
                NpmFolder = Path.Combine(root, "artifacts", "npm"),
                FigureScript = FigureScript.JavaScript,
            };
            return NotebookCommand.RunAsync(WorkingCopy.Notebooks(root, parsed.GetValue(notebooks) ?? []), pages, options, Console.Error, cancellation);
        });
        return command;
    }
}
