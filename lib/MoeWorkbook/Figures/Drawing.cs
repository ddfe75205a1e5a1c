using System.Globalization;
using System.Net;
using System.Text;

namespace MoeWorkbook;

/// <summary>An SVG drawing in the making: boxes, arrows and texts in pixels, y downwards.</summary>
internal sealed class Drawing(int width, int height)
{
    private readonly StringBuilder _elements = new();

    public void Box(double x, double y, double boxWidth, double boxHeight, string text, string colour, bool lit = true)
    {
        Add($"""<rect x="{x}" y="{y}" width="{boxWidth}" height="{boxHeight}" rx="6" fill="{colour}" fill-opacity="{(lit ? 0.16 : 0.03)}" stroke="{colour}" stroke-opacity="{(lit ? 1 : 0.35)}" stroke-width="1.5"/>""");
        Text(x + boxWidth / 2, y + boxHeight / 2, text, faint: !lit);
    }

    public void Bar(double x, double y, double barWidth, double barHeight, string colour) =>
        Add($"""<rect x="{x}" y="{y}" width="{barWidth}" height="{barHeight}" rx="2" fill="{colour}"/>""");

    public void Circle(double x, double y, string text)
    {
        Add($"""<circle cx="{x}" cy="{y}" r="12" fill="#fff" stroke="{FigureStyle.Ink}" stroke-width="1.5"/>""");
        Text(x, y, text, size: 16);
    }

    public void Text(double x, double y, string text, string anchor = "middle", double size = 13, bool faint = false, bool bold = false) =>
        Add($"""<text x="{x}" y="{y}" text-anchor="{anchor}" dominant-baseline="central" font-size="{size}" font-weight="{(bold ? 600 : 400)}" fill="{(faint ? FigureStyle.Grey : FigureStyle.Ink)}">{WebUtility.HtmlEncode(text)}</text>""");

    /// <summary>A line through points, with a head at its end.</summary>
    public void Arrow(string colour, double stroke, params (double X, double Y)[] points)
    {
        Line(colour, stroke, points);
        var ((fromX, fromY), (toX, toY)) = (points[^2], points[^1]);
        var angle = Math.Atan2(toY - fromY, toX - fromX) * 180 / Math.PI;
        Add($"""<path d="M1,0 L-7,-4.5 L-7,4.5 Z" transform="translate({toX},{toY}) rotate({angle})" fill="{colour}"/>""");
    }

    public void Line(string colour, double stroke, params (double X, double Y)[] points) =>
        Add($"""<polyline points="{string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X},{p.Y}")))}" fill="none" stroke="{colour}" stroke-width="{stroke}" stroke-linejoin="round"/>""");

    /// <summary>The drawing on a white ground of its own, so that it can be read on a dark page too.</summary>
    public Svg ToSvg(string caption) => new(
        $"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" style="max-width:100%;height:auto;display:block;margin:auto" font-family="{FigureStyle.FontFamily}">
        <rect width="{width}" height="{height}" rx="8" fill="#fff"/>
        {_elements}</svg>
        """, caption);

    private void Add(FormattableString element) => _elements.AppendLine(element.ToString(CultureInfo.InvariantCulture));
}
