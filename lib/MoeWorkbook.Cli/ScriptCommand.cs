using System.CommandLine;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Cli;

/// <summary><c>script</c>: writes a chapter as a C# app of one file.</summary>
internal static class ScriptCommand
{
    public static Command Create()
    {
        var notebook = new Argument<string>("notebook") { Description = "A notebook: a file, or a name in notebooks/ such as 01 or 01-counting-parameters." };
        var output = new Option<string?>("--output") { Description = "The .cs file, inside the working copy. By default artifacts/scripts/NAME.cs." };
        var command = new Command("script", "Write a chapter as a C# file that 'dotnet run' executes, without a kernel; what it shows goes into a page.") { notebook, output };
        command.SetAction(parsed =>
        {
            var root = WorkingCopy.Root();
            var chapter = WorkingCopy.Notebooks(root, [parsed.GetValue(notebook)!]).Single();
            var path = Path.GetFullPath(parsed.GetValue(output) ?? Path.Combine(root, "artifacts", "scripts", Path.ChangeExtension(Path.GetFileName(chapter), ".cs")));
            if (Path.GetRelativePath(root, path).StartsWith("..", StringComparison.Ordinal))
                throw new CommandException($"--output is {path}, outside the working copy {root}, whose settings and library the script takes.");
            try
            {
                NotebookScript.Write(chapter, path, Path.Combine(root, "lib", "MoeWorkbook"));
            }
            catch (InvalidDataException e)
            {
                throw new CommandException($"{chapter}: {e.Message}");
            }

            Console.WriteLine(path);
            return 0;
        });
        return command;
    }
}
