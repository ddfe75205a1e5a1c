namespace MoeWorkbook;

/// <summary>A value that shows itself in a notebook: as HTML where the reader can draw it, else as <see cref="object.ToString"/>.</summary>
/// <remarks>
/// Verso calls <see cref="ToHtml"/>. .NET Interactive finds the same through <see cref="TypeFormatterSourceAttribute"/>,
/// which every implementing type carries.
/// </remarks>
public interface INotebookDisplay
{
    /// <summary>The value as a piece of an HTML page.</summary>
    string ToHtml();
}
