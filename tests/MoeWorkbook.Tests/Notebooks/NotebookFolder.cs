using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Notebooks;

/// <summary>A temporary folder with small notebooks.</summary>
public sealed class NotebookFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("notebooks-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a notebook of these code cells.</summary>
    public string Notebook(string name, params string[] cells)
    {
        var document = new NotebookDocument();
        foreach (var source in cells)
            document.Add(CellKind.Code, source);
        document.Write(File(name));
        return File(name);
    }

    /// <summary>Executes a notebook of these code cells.</summary>
    public Task<NotebookResult> RunAsync(params string[] cells) => NotebookRunner.RunAsync(Notebook("test.ipynb", cells));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
