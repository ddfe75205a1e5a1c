namespace MoeWorkbook.Notebooks;

/// <summary>What a notebook's cell holds.</summary>
public enum CellKind
{
    /// <summary>C# to be executed.</summary>
    Code,

    /// <summary>Text to be read.</summary>
    Markdown,

    /// <summary>Text for a converter; not executed and not shown.</summary>
    Raw,
}
