namespace MoeWorkbook.Notebooks;

/// <summary>A notebook after its execution.</summary>
/// <param name="Path">The notebook's full path.</param>
/// <param name="Document">The executed notebook: its outputs up to the failing cell, that cell's error included.</param>
/// <param name="Seconds">Wall-clock time, the child process's start included.</param>
/// <param name="PeakMemoryMiB">The child process's peak resident memory in MiB.</param>
/// <param name="Failure">The cell that failed, or null.</param>
public sealed record NotebookResult(string Path, NotebookDocument Document, double Seconds, double PeakMemoryMiB, CellFailure? Failure)
{
    /// <summary>Whether every cell ran to its end.</summary>
    public bool Succeeded => Failure is null;
}
