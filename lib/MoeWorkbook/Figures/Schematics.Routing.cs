using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class Schematics
{
    /// <summary>Token choice beside expert choice: the scores of the same tokens, the chosen ones lit, with the experts of each token counted at the right and
    /// the tokens of each expert below.</summary>
    /// <param name="tokenChoice">The decision of a router that chooses row by row.</param>
    /// <param name="expertChoice">The decision of a router that chooses column by column.</param>
    /// <param name="tokens">The name of each token; null for their numbers.</param>
    /// <exception cref="ArgumentException">The decisions differ in tokens or experts, there are more than 12 tokens or 6 experts, or not as many names as
    /// tokens.</exception>
    public static Svg WhoChooses(RoutingDecision tokenChoice, RoutingDecision expertChoice, IReadOnlyList<string>? tokens = null)
    {
        ArgumentNullException.ThrowIfNull(tokenChoice);
        ArgumentNullException.ThrowIfNull(expertChoice);
        var (count, experts) = ((int)tokenChoice.TokenCount, (int)tokenChoice.ExpertCount);
        if (expertChoice.TokenCount != count || expertChoice.ExpertCount != experts)
            throw new ArgumentException($"one decision is about {count} tokens and {experts} experts, the other about {expertChoice.TokenCount} and {expertChoice.ExpertCount}", nameof(expertChoice));
        if (count > 12 || experts > 6)
            throw new ArgumentException($"there are {count} tokens and {experts} experts; at most 12 and 6 can be drawn", nameof(tokenChoice));
        tokens ??= [.. Enumerable.Range(0, count).Select(i => $"token {i}")];
        if (tokens.Count != count)
            throw new ArgumentException($"there are {tokens.Count} names for {count} tokens", nameof(tokens));

        var drawing = new Drawing(760, 118 + 34 * count);
        Choices(drawing, 0, "tokens choose: along rows", tokenChoice, tokens);
        Choices(drawing, 390, "experts choose: down columns", expertChoice, tokens);
        return drawing.ToSvg("Both tables hold the same router's scores. At the left each row keeps its largest, so every token has equally many experts and the experts' loads differ. At the right each column keeps its largest, so every expert has equally many tokens, and a token may have none or many.");
    }

    private static void Choices(Drawing drawing, double left, string title, RoutingDecision routing, IReadOnlyList<string> tokens)
    {
        const double top = 80, row = 34, column = 46;
        using var scope = NewDisposeScope();
        var (count, experts) = ((int)routing.TokenCount, (int)routing.ExpertCount);
        var scores = routing.Scores.detach().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        var chosen = routing.Tokens.cpu().data<long>().ToArray().Zip(routing.Experts.cpu().data<long>().ToArray()).ToHashSet();
        double first = left + 78, right = first + experts * column;
        drawing.Text(first + experts * column / 2, 24, title, bold: true);
        for (var expert = 0; expert < experts; expert++)
        {
            var x = first + (expert + 0.5) * column;
            drawing.Text(x, top - 18, $"E{expert}", faint: true);
            drawing.Text(x, top + count * row + 14, chosen.Count(pair => pair.Second == expert).ToString(CultureInfo.InvariantCulture), bold: true);
        }

        for (var token = 0; token < count; token++)
        {
            var y = top + token * row;
            drawing.Text(first - 10, y + row / 2 - 3, tokens[token], "end");
            for (var expert = 0; expert < experts; expert++)
                drawing.Box(first + expert * column + 2, y, column - 4, row - 6,
                    scores[token * experts + expert].ToString("0.00", CultureInfo.InvariantCulture), FigureStyle.Blue, chosen.Contains((token, expert)));
            drawing.Text(right + 28, y + row / 2 - 3, chosen.Count(pair => pair.First == token).ToString(CultureInfo.InvariantCulture), bold: true);
        }

        drawing.Text(first - 10, top + count * row + 14, "load", "end", 12, faint: true);
        drawing.Text(right + 28, top - 18, "experts", "middle", 12, faint: true);
    }
}
