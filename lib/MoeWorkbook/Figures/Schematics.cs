using System.Globalization;

namespace MoeWorkbook;

/// <summary>Drawings of ideas: what is connected with what, and how much flows where.</summary>
public static partial class Schematics
{
    private static readonly double[] _exampleLogits = [0.31, -0.92, 2.10, 0.05, -1.40, 1.38, -0.22, 0.64];

    /// <summary>A dense transformer block beside a Mixture-of-Experts block: they differ in the feed-forward half only.</summary>
    public static Svg DenseAndMoeBlock()
    {
        var drawing = new Drawing(760, 500);
        Block(drawing, 180, "Dense block");
        Block(drawing, 550, "Mixture-of-Experts block");

        drawing.Arrow(FigureStyle.Ink, 1.5, (180, 272), (180, 322));
        drawing.Box(90, 322, 180, 44, "feed-forward", FigureStyle.Vermilion);
        drawing.Arrow(FigureStyle.Ink, 1.5, (180, 366), (180, 438));

        const int experts = 8, expertWidth = 34, gap = 5;
        var left = 550 - (experts * expertWidth + (experts - 1) * gap) / 2.0;
        int[] chosen = [1, 5];
        drawing.Arrow(FigureStyle.Ink, 1.5, (550, 272), (550, 284));
        drawing.Box(500, 284, 100, 26, "router", FigureStyle.Black);
        for (var i = 0; i < experts; i++)
        {
            double x = left + i * (expertWidth + gap), centre = x + expertWidth / 2.0;
            var lit = chosen.Contains(i);
            drawing.Box(x, 342, expertWidth, 36, $"E{i}", FigureStyle.Blue, lit);
            if (!lit)
                continue;
            drawing.Arrow(FigureStyle.Blue, 2, (550 + (centre - 550) * 0.3, 310), (centre, 340));
            drawing.Arrow(FigureStyle.Blue, 2, (centre, 378), (550 + (centre < 550 ? -12 : 12), 404));
            drawing.Text(centre + (centre < 550 ? -4 : 4), 396, i == 1 ? "× w₁" : "× w₅", centre < 550 ? "end" : "start", 12);
        }
        drawing.Circle(550, 408, "Σ");
        drawing.Arrow(FigureStyle.Ink, 1.5, (550, 420), (550, 438));

        return drawing.ToSvg("Both blocks add attention, then a feed-forward part, to the residual stream. In the Mixture-of-Experts block a router picks, for every token anew, a few of many feed-forward experts (here two of eight) and adds up their outputs with its weights; the others do not run.");
    }

    /// <summary>The path of one token through a Mixture-of-Experts layer: router logits, the k largest, their softmax as weights, the weighted sum.</summary>
    /// <param name="logits">The router's logits for the token, <c>[experts]</c>; from 2 to 16. Null for an example with eight experts.</param>
    /// <param name="k">How many experts the token visits; at most as many as there are.</param>
    /// <param name="token">What stands at the start of the path.</param>
    /// <remarks>The weights are the softmax over the k largest logits, as in Mixtral (Jiang et al. 2024). Of equal logits the first wins.</remarks>
    /// <exception cref="ArgumentException">A logit is not a finite number, or there are too few or too many.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is below 1 or above the number of experts.</exception>
    public static Svg TokenPath(IReadOnlyList<double>? logits = null, int k = 2, string token = "token")
    {
        logits ??= _exampleLogits;
        if (logits.Count is < 2 or > 16)
            throw new ArgumentException($"there are {logits.Count} logits; from 2 to 16 can be drawn", nameof(logits));
        if (!logits.All(double.IsFinite))
            throw new ArgumentException("every logit must be a finite number", nameof(logits));
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, logits.Count);

        int[] chosen = [.. Enumerable.Range(0, logits.Count).OrderByDescending(i => logits[i]).Take(k)];
        double largest = logits[chosen[0]], sum = chosen.Sum(i => Math.Exp(logits[i] - largest));

        const double row = 38, top = 44;
        double height = logits.Count * row, middle = top + height / 2, scale = 46 / Math.Max(logits.Max(Math.Abs), 1e-9);
        var drawing = new Drawing(760, (int)(top + height + 16));
        drawing.Text(285, 22, "router logits", bold: true);
        drawing.Text(485, 22, "experts", bold: true);
        drawing.Text(604, 22, "weights", bold: true);
        drawing.Box(14, middle - 20, 96, 40, token, FigureStyle.Green);
        drawing.Arrow(FigureStyle.Ink, 1.5, (110, middle), (138, middle));
        drawing.Box(140, top + 6, 64, height - 12, "router", FigureStyle.Black);
        drawing.Line(FigureStyle.Grey, 1, (285, top + 4), (285, top + height - 4));
        for (var i = 0; i < logits.Count; i++)
        {
            double y = top + (i + 0.5) * row, bar = Math.Abs(logits[i]) * scale;
            var lit = chosen.Contains(i);
            drawing.Bar(logits[i] < 0 ? 285 - bar : 285, y - 7, Math.Max(bar, 1), 14, lit ? FigureStyle.Blue : "#C9CED4");
            drawing.Text(375, y, logits[i].ToString("0.00", CultureInfo.InvariantCulture), "end", faint: !lit, bold: lit);
            drawing.Box(440, y - 14, 90, 28, $"expert {i}", FigureStyle.Blue, lit);
            if (!lit)
                continue;
            var weight = Math.Exp(logits[i] - largest) / sum;
            drawing.Arrow(FigureStyle.Blue, 2, (384, y), (438, y));
            drawing.Arrow(FigureStyle.Blue, 1.5 + 3 * weight, (530, y), (640, y),
                (668 - (Math.Abs(y - middle) < 14 ? 4 : 0), middle + Math.Clamp(y - middle, -14, 14)));
            drawing.Text(604, y - 13, "× " + weight.ToString("0.00", CultureInfo.InvariantCulture), bold: true);
        }
        drawing.Circle(680, middle, "Σ");
        drawing.Arrow(FigureStyle.Ink, 1.5, (692, middle), (712, middle));
        drawing.Text(716, middle, "output", "start", 12);
        return drawing.ToSvg(string.Create(CultureInfo.InvariantCulture,
            $"The router gives one logit for each of the {logits.Count} experts. The {k} largest win; their softmax gives the weights, which add up to 1. Only the winners run, and the output is the weighted sum of theirs."));
    }

    /// <summary>What the two blocks share: norm, attention, norm, the two additions and the residual stream past them; between y = 272 and y = 438 is the
    /// feed-forward half.</summary>
    private static void Block(Drawing drawing, double x, string title)
    {
        drawing.Text(x, 20, title, size: 15, bold: true);
        drawing.Text(x, 46, "hidden states", size: 12, faint: true);
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 56), (x, 88));
        drawing.Box(x - 50, 88, 100, 26, "norm", FigureStyle.Grey);
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 114), (x, 130));
        drawing.Box(x - 90, 130, 180, 40, "attention", FigureStyle.Orange);
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 170), (x, 188));
        drawing.Circle(x, 200, "+");
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 70), (x - 172, 70), (x - 172, 200), (x - 12, 200));
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 212), (x, 246));
        drawing.Box(x - 50, 246, 100, 26, "norm", FigureStyle.Grey);
        drawing.Circle(x, 450, "+");
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 226), (x - 172, 226), (x - 172, 450), (x - 12, 450));
        drawing.Arrow(FigureStyle.Ink, 1.5, (x, 462), (x, 492));
    }
}
