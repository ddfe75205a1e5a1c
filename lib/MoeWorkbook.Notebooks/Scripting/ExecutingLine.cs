using System.ComponentModel;

namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>Told before each top-level statement of a cell, so that the line is known when the process dies in it.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class ExecutingLine
{
    internal static Action<int>? Changed { get; set; }

    /// <summary>The statement that begins in this line of the cell, from 1, is executed next.</summary>
    public static void Is(int line) => Changed?.Invoke(line);
}
