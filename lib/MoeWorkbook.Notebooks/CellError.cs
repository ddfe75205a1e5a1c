namespace MoeWorkbook.Notebooks;

/// <summary>Why a cell failed.</summary>
/// <param name="Line">The line of the cell, from 1; 0 where none is known.</param>
/// <param name="Name">The kind of error.</param>
/// <param name="Message">What was wrong.</param>
/// <param name="Trace">Where: every compile error, or the notebook's own lines, innermost first.</param>
internal sealed record CellError(int Line, string Name, string Message, IReadOnlyList<string> Trace);
