namespace MoeWorkbook;

/// <summary>Writes an <see cref="INotebookDisplay"/> in one form.</summary>
/// <param name="mimeType">The form's MIME type.</param>
/// <param name="text">The value in that form.</param>
internal sealed class DisplayFormatter(string mimeType, Func<INotebookDisplay, string> text)
{
    /// <summary>The form's MIME type.</summary>
    public string MimeType { get; } = mimeType;

    /// <summary>Writes the value; false, with nothing written, when it is no <see cref="INotebookDisplay"/>.</summary>
    public bool Format(object instance, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (instance is not INotebookDisplay display)
            return false;
        writer.Write(text(display));
        return true;
    }
}
