namespace MoeWorkbook.Notebooks;

/// <summary>Why a notebook's execution stopped.</summary>
/// <param name="Cell">The number of the code cell, from 1; after a run its execution count.</param>
/// <param name="Line">The line in that cell, from 1; 0 where none is known.</param>
/// <param name="SourceLine">The text of that line.</param>
/// <param name="Error">The kind of error: an exception's type, <c>CompilationError</c>, <c>ProcessEnded</c> or <c>Timeout</c>.</param>
/// <param name="Message">What was wrong.</param>
public sealed record CellFailure(int Cell, int Line, string SourceLine, string Error, string Message)
{
    /// <summary>The failure in two lines: place and source line, then the error.</summary>
    public override string ToString()
    {
        var place = Line > 0 ? $"cell {Cell}, line {Line}: {SourceLine.Trim()}" : $"cell {Cell}";
        return $"{place}\n{Error}: {Message}";
    }
}
