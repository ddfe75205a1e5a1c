namespace MoeWorkbook.Cli;

/// <summary>The working copy of the workbook, whose notebooks the commands name.</summary>
internal static class WorkingCopy
{
    /// <summary>Its top folder: that of the current folder, or else of the one in which this program was built.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static string Root()
    {
        foreach (var start in new[] { Directory.GetCurrentDirectory(), AppContext.BaseDirectory })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "MoeWorkbook.sln"))) return folder.FullName;
            }
        }

        throw new CommandException("the folder of the workbook was not found; run this inside it.");
    }

    /// <summary>The files of notebooks: paths, or beginnings of names in <c>notebooks/</c>; all chapters and their solutions where none is asked for.</summary>
    /// <exception cref="CommandException">There is no such notebook.</exception>
    public static List<string> Notebooks(string root, string[] asked)
    {
        var folder = Path.Combine(root, "notebooks");
        string[] chapters = [.. Directory.GetFiles(folder, "*.ipynb").Order(StringComparer.Ordinal)];
        if (asked.Length == 0) return [.. chapters, .. Directory.GetFiles(Path.Combine(folder, "solutions"), "*.ipynb").Order(StringComparer.Ordinal)];
        return [.. asked.Select(name => File.Exists(name) ? Path.GetFullPath(name)
            : chapters.FirstOrDefault(chapter => Path.GetFileNameWithoutExtension(chapter).StartsWith(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new CommandException($"there is no notebook '{name}'. In notebooks/ there are {string.Join(", ", chapters.Select(Path.GetFileNameWithoutExtension))}."))];
    }
}
