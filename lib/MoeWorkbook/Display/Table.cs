using System.Net;
using System.Text;

namespace MoeWorkbook;

/// <summary>A small table of results, for notebooks, pages and terminals.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Table : INotebookDisplay
{
    /// <summary>A table.</summary>
    /// <param name="columns">The columns from left to right; at least one.</param>
    /// <param name="rows">The rows from top to bottom, each with one text for every column.</param>
    /// <param name="caption">A sentence that says what to see; null for none.</param>
    /// <exception cref="ArgumentException">There is no column, or a row has not one text for every column.</exception>
    public Table(IEnumerable<Column> columns, IEnumerable<IEnumerable<string>> rows, string? caption = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        Columns = [.. columns];
        Rows = [.. rows.Select(row => (IReadOnlyList<string>)[.. row])];
        Caption = caption;
        if (Columns.Count == 0)
            throw new ArgumentException("a table needs at least one column", nameof(columns));
        foreach (var (i, row) in Rows.Index())
        {
            if (row.Count != Columns.Count)
                throw new ArgumentException($"row {i} has {row.Count} texts for {Columns.Count} columns", nameof(rows));
        }
    }

    /// <summary>The columns from left to right.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The rows from top to bottom, each with one text for every column.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Rows { get; }

    /// <summary>A sentence that says what to see; null for none.</summary>
    public string? Caption { get; }

    /// <summary>The table as HTML; figures of equal width, so that digits stand under digits.</summary>
    public string ToHtml()
    {
        var html = new StringBuilder()
            .Append("<table style=\"border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0.6em 0\">");
        if (Caption is not null)
            html.Append("<caption style=\"caption-side:bottom;text-align:left;font-size:14px;padding-top:6px;opacity:0.8\">").Append(WebUtility.HtmlEncode(Caption)).Append("</caption>");
        html.Append("<thead><tr>");
        foreach (var column in Columns)
            html.Append($"<th scope=\"col\" style=\"{Style(column)};border-bottom:2px solid #8C8C8C\">{WebUtility.HtmlEncode(column.Header)}</th>");
        html.Append("</tr></thead><tbody>");
        foreach (var row in Rows)
        {
            html.Append("<tr>");
            foreach (var (column, text) in Columns.Zip(row))
                html.Append($"<td style=\"{Style(column)};border-bottom:1px solid #8C8C8C55\">{WebUtility.HtmlEncode(text)}</td>");
            html.Append("</tr>");
        }
        return html.Append("</tbody></table>").ToString();
    }

    /// <summary>The table in characters of equal width, for terminals.</summary>
    public override string ToString()
    {
        int[] widths = [.. Columns.Select((column, i) => Rows.Select(row => row[i].Length).Append(column.Header.Length).Max())];
        IEnumerable<string> lines =
        [
            Line(Columns.Select(column => column.Header)),
            string.Join("  ", widths.Select(width => new string('-', width))),
            .. Rows.Select(Line),
        ];
        return string.Join('\n', Caption is null ? lines : lines.Append(Caption));

        string Line(IEnumerable<string> texts) =>
            string.Join("  ", texts.Select((text, i) => Columns[i].AlignRight ? text.PadLeft(widths[i]) : text.PadRight(widths[i]))).TrimEnd();
    }

    private static string Style(Column column) => $"text-align:{(column.AlignRight ? "right" : "left")};padding:4px 12px";
}
