using System.Globalization;
using System.Net;
using System.Text;

namespace MoeWorkbook;

/// <summary>A text coloured by a label of each of its bytes, such as its domain or its expert; several colourings stand side by side.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class ColoredText : INotebookDisplay
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private readonly string[] _pieces;

    /// <summary>A text with its colourings.</summary>
    /// <param name="bytes">The text. A byte that is no printable ASCII character is shown as <c>\x</c> and two digits.</param>
    /// <param name="views">The colourings, from left to right.</param>
    /// <param name="caption">A sentence that says what to see.</param>
    /// <exception cref="ArgumentException">There is no colouring, or one has not one label for every byte, or a label has no name.</exception>
    public ColoredText(IReadOnlyList<byte> bytes, IEnumerable<TextColoring> views, string caption)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentNullException.ThrowIfNull(views);
        ArgumentNullException.ThrowIfNull(caption);
        _pieces = [.. bytes.Select(Piece)];
        Views = [.. views];
        Caption = caption;
        if (Views.Count == 0) throw new ArgumentException("There is no colouring.", nameof(views));
        foreach (var view in Views)
        {
            if (view.Labels.Count != bytes.Count)
                throw new ArgumentException($"'{view.Name}' has {view.Labels.Count} labels for {bytes.Count} bytes.", nameof(views));
            if (view.Labels.Any(label => label < 0 || label >= view.LabelNames.Count))
                throw new ArgumentException($"'{view.Name}' has labels from {view.Labels.Min()} to {view.Labels.Max()} and {view.LabelNames.Count} names.", nameof(views));
        }
    }

    /// <summary>The colourings, from left to right.</summary>
    public IReadOnlyList<TextColoring> Views { get; }

    /// <summary>A sentence that says what to see.</summary>
    public string Caption { get; }

    /// <summary>The colourings side by side on white, each with its legend; the label stands in the tip of every stretch too.</summary>
    /// <remarks>Where there are more labels than colours that can be told apart, each stretch has its label above it.</remarks>
    public string ToHtml()
    {
        var html = new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"<figure style=\"margin:1em 0;padding:12px 14px;background:#fff;color:{FigureStyle.Ink};border-radius:8px;font-family:{FigureStyle.FontFamily}\"><div style=\"display:flex;flex-wrap:wrap;gap:18px\">");
        foreach (var view in Views)
        {
            html.Append($"<div style=\"flex:1 1 220px;min-width:0\"><div style=\"font-weight:600\">{WebUtility.HtmlEncode(view.Name)}</div><div style=\"font-size:13px;margin:4px 0\">");
            foreach (var label in view.Labels.Distinct().Order())
                html.Append($"<span style=\"background:{ColorOf(label, view)};padding:1px 6px;margin-right:6px;border-radius:3px;white-space:nowrap;display:inline-block\">{WebUtility.HtmlEncode(view.LabelNames[label])}</span>");
            var named = view.LabelNames.Count > FigureStyle.Palette.Count;
            var lineHeight = named ? "2.2" : "1.6";
            html.Append("</div><pre style=\"margin:0;padding:0;background:none;color:inherit;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere;");
            html.Append($"line-height:{lineHeight}\">");
            foreach (var (start, end) in Stretches(view))
            {
                string name = WebUtility.HtmlEncode(view.LabelNames[view.Labels[start]]), text = WebUtility.HtmlEncode(string.Concat(_pieces[start..end]));
                var line = text.TrimEnd('\n');
                html.Append($"<span style=\"background:{ColorOf(view.Labels[start], view)}\" title=\"{name}\">")
                    .Append(named ? $"<ruby>{line}<rt style=\"font-size:9px;padding:0 2px\">{name}</rt></ruby>{text[line.Length..]}" : text).Append("</span>");
            }

            html.Append("</pre></div>");
        }

        return html.Append("</div><figcaption style=\"font-size:14px;line-height:1.45;margin:8px 0 0;color:#57606A\">")
            .Append(WebUtility.HtmlEncode(Caption)).Append("</figcaption></figure>").ToString();
    }

    /// <summary>For readers of text: each colouring as the lines of the text, with the label of each byte in a line below.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var view in Views)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{view.Name}: {string.Join(", ", view.Labels.Distinct().Order().Select(label => $"{Digit(label)} = {view.LabelNames[label]}"))}");
            var (line, labels) = (new StringBuilder(), new StringBuilder());
            for (var i = 0; i < _pieces.Length; i++)
            {
                var shown = _pieces[i].TrimEnd('\n');
                line.Append(shown);
                labels.Append(Digit(view.Labels[i]), shown.Length);
                if (!_pieces[i].EndsWith('\n') && i + 1 < _pieces.Length) continue;
                text.Append(line).Append('\n').Append(labels).Append('\n');
                line.Clear();
                labels.Clear();
            }
        }

        return text.Append(Caption).ToString();
    }

    // A stretch has one label and ends with its line.
    private IEnumerable<(int Start, int End)> Stretches(TextColoring view)
    {
        for (int start = 0, i = 1; i <= view.Labels.Count; i++)
        {
            if (i < view.Labels.Count && view.Labels[i] == view.Labels[start] && !_pieces[i - 1].EndsWith('\n')) continue;
            yield return (start, i);
            start = i;
        }
    }

    private static string Piece(byte value) => value switch
    {
        (byte)'\n' => "↵\n",
        >= 0x20 and < 0x7f => ((char)value).ToString(),
        _ => $"\\x{value:x2}",
    };

    // Tints, on which dark letters can be read; where the palette does not reach, hues that lie a golden section apart, lighter and darker in turn.
    private static string ColorOf(int label, TextColoring view) => view.LabelNames.Count <= FigureStyle.Palette.Count
        ? FigureStyle.Palette[label] + "66"
        : string.Create(CultureInfo.InvariantCulture, $"hsl({label * 222.49 % 360:0} 75% {(label % 2 == 0 ? 84 : 70)}%)");

    private static char Digit(int label) => label < Digits.Length ? Digits[label] : '?';
}
