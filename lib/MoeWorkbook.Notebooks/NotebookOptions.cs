namespace MoeWorkbook.Notebooks;

/// <summary>Limits on a notebook's execution.</summary>
public sealed record NotebookOptions
{
    /// <summary>How long one cell may take; 300 s unless told otherwise.</summary>
    public TimeSpan CellTimeout { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>How long one notebook may take; 30 minutes unless told otherwise.</summary>
    public TimeSpan NotebookTimeout { get; init; } = TimeSpan.FromMinutes(30);
}
