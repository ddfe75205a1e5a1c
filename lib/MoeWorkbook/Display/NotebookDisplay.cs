using System.Net;
using static TorchSharp.torch;
using GenericChart = Plotly.NET.GenericChart;

namespace MoeWorkbook;

/// <summary>How values show themselves in a notebook: the library's own, and those of TorchSharp and Plotly.NET, which know nothing of notebooks.</summary>
public static class NotebookDisplay
{
    /// <summary>The HTML form of a value; null when it has none of ours.</summary>
    /// <param name="value">Any value of a cell.</param>
    public static string? ToHtml(object value) => value switch
    {
        INotebookDisplay display => display.ToHtml(),
        GenericChart chart => new Figure(chart, "", "").ToHtml(),
        Tensor tensor => $"<pre style=\"margin:0.4em 0\">{WebUtility.HtmlEncode(TensorText.Of(tensor))}</pre>",
        _ => null,
    };

    /// <summary>The plain text of a value; null when it has none of ours.</summary>
    /// <param name="value">Any value of a cell.</param>
    public static string? ToPlainText(object value) => value switch
    {
        INotebookDisplay display => display.ToString(),
        GenericChart chart => new Figure(chart, "chart", "").ToString(),
        Tensor tensor => TensorText.Of(tensor),
        _ => null,
    };
}
