using System.Diagnostics.CodeAnalysis;

namespace MoeWorkbook;

/// <summary>The formatters of every <see cref="INotebookDisplay"/>, as .NET Interactive asks for them.</summary>
public sealed class DisplayFormatters
{
    /// <summary>One formatter for HTML and one for plain text.</summary>
    /// <returns>Objects with the <c>MimeType</c> and <c>Format</c> that the kernel's convention expects.</returns>
    [SuppressMessage("Performance", "CA1822", Justification = "The kernel makes an instance and calls the method on it.")]
    public IEnumerable<object> CreateTypeFormatters() =>
    [
        new DisplayFormatter("text/html", value => value.ToHtml()),
        new DisplayFormatter("text/plain", value => value.ToString()!),
    ];
}
