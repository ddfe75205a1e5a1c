using Plotly.NET;

namespace MoeWorkbook;

/// <summary>How values show themselves in a notebook: the library's own, and those of Plotly.NET, which know nothing of notebooks.</summary>
public static class NotebookDisplay
{
    /// <summary>The HTML form of a value; null when it has none of ours.</summary>
    /// <param name="value">Any value of a cell.</param>
    public static string? ToHtml(object value) => value switch
    {
        INotebookDisplay display => display.ToHtml(),
        GenericChart chart => new Figure(chart, "", "").ToHtml(),
        _ => null,
    };
}
