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
            string root = RepositoryRoot();
            var options = new NotebookOptions { CellTimeout = TimeSpan.FromSeconds(parsed.GetValue(timeout) ?? (Environment.GetEnvironmentVariable("WORKBOOK_SCALE") == "full" ? 1800 : 300)) };
            var pages = new SiteOptions
            {
                Folder = Path.GetFullPath(parsed.GetValue(site) ?? Path.Combine(root, "artifacts", "site")),
                Root = Path.Combine(root, "notebooks"),
                NpmFolder = Path.Combine(root, "artifacts", "npm"),
                FigureScript = FigureScript.JavaScript,
            };
            return NotebookCommand.RunAsync(Find(root, parsed.GetValue(notebooks) ?? []), pages, options, Console.Error, cancellation);
        });
        return command;
    }

    private static List<string> Find(string root, string[] asked)
    {
        string folder = Path.Combine(root, "notebooks");
        string[] chapters = [.. Directory.GetFiles(folder, "*.ipynb").Order(StringComparer.Ordinal)];
        if (asked.Length == 0) return [.. chapters, .. Directory.GetFiles(Path.Combine(folder, "solutions"), "*.ipynb").Order(StringComparer.Ordinal)];
        return [.. asked.Select(name => File.Exists(name) ? Path.GetFullPath(name)
            : chapters.FirstOrDefault(chapter => Path.GetFileNameWithoutExtension(chapter).StartsWith(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new CommandException($"there is no notebook '{name}'. In notebooks/ there are {string.Join(", ", chapters.Select(Path.GetFileNameWithoutExtension))}."))];
    }

    // The notebooks belong to a working copy: that of the current folder, or else the one this program was built in.
    private static string RepositoryRoot()
    {
        foreach (string start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "MoeWorkbook.sln"))) return folder.FullName;
            }
        }

        throw new CommandException("the folder of the workbook was not found; run this inside it.");
    }
}
