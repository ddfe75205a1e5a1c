namespace MoeWorkbook.Notebooks;

/// <summary>Where a run is: reported when a cell begins, and once a second while it goes on.</summary>
/// <param name="Path">The notebook's path as it was given.</param>
/// <param name="Cell">The number of the code cell being executed, from 1.</param>
/// <param name="Cells">How many code cells the notebook has.</param>
/// <param name="CellSeconds">Seconds since the cell began.</param>
/// <param name="NotebookSeconds">Seconds since the notebook began.</param>
public sealed record NotebookProgress(string Path, int Cell, int Cells, double CellSeconds, double NotebookSeconds);
