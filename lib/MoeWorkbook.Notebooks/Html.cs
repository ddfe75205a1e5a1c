namespace MoeWorkbook.Notebooks;

/// <summary>Text in HTML.</summary>
internal static class Html
{
    /// <summary>Escapes the four characters that mean something; every other one stays readable in the page's source.</summary>
    public static string Encode(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal);
}
