using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class LiveFigures
{
    private const int MostDrawn = 8, NoiseDraws = 8;

    /// <summary>A router to play with: every logit is a slider; k, temperature, noise, capacity and the form of the weights can be changed, and weights, loads,
    /// dropped assignments and MaxVio follow.</summary>
    /// <param name="logits">The logits at first, from −3 to 3, <c>[tokens, experts]</c>; 1 to 8 tokens and 2 to 8 experts.</param>
    /// <param name="tokens">What the tokens are called.</param>
    /// <param name="seed">Of the noise: N(0, 1), which is drawn here and multiplied by its slider in the page.</param>
    /// <remarks>logits' = (logits + noise) / temperature. The weights are those of <see cref="SoftmaxTopKRouter"/>, renormalised or not, and of
    /// <see cref="SigmoidTopKRouter"/>; what is dropped is <see cref="ExpertCapacity"/>'s by position.</remarks>
    /// <exception cref="ArgumentException">There are too many tokens or experts, the names are not as many, or a logit is not from −3 to 3.</exception>
    public static LiveFigure RouterPlayground(Tensor logits, IReadOnlyList<string> tokens, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Expect.Shape(logits, nameof(logits), ("tokens", tokens.Count), ("experts", -1));
        Expect.Floating(logits, nameof(logits));
        var (count, experts) = (tokens.Count, (int)logits.shape[1]);
        if (count is < 1 or > MostDrawn || experts is < 2 or > MostDrawn)
            throw new ArgumentException($"there are {count} tokens and {experts} experts; 1 to {MostDrawn} tokens and 2 to {MostDrawn} experts can be drawn", nameof(logits));
        var table = Rows(logits);
        if (table.Any(row => row.Any(logit => !(Math.Abs(logit) <= 3)))) throw new ArgumentException("every logit must be a number from -3 to 3", nameof(logits));
        using var generator = new Generator((ulong)seed);
        double[][][] noise = [.. Enumerable.Range(0, NoiseDraws).Select(_ =>
        {
            using var drawn = Noise.Normal([count, experts], ScalarType.Float64, CPU, generator);
            return Rows(drawn);
        })];
        return new("router-playground", "A router to play with",
            "Drag a logit, or step it with the arrow keys: a coloured cell is an expert that the token visits, with its weight. Where an expert has less room than its load, the tokens that come last are dropped.",
            [RouterPlaygroundStill(table, tokens)], new { Tokens = tokens, Experts = experts, Logits = table, Noise = noise }, "routing");
    }

    /// <summary>The buffers of a layer with a capacity, filled one assignment after the other: who finds its expert full takes the residual lane. The policy
    /// and the capacity factor can be changed.</summary>
    /// <param name="routing">A decision of a top-k router about at most 24 tokens and 16 experts; what it dropped is asked anew.</param>
    /// <param name="factor">The capacity factor at first, from 0.25 to 3.</param>
    /// <param name="seed">Of the random policy's order, as <see cref="ExpertCapacity.Apply"/> draws it.</param>
    /// <exception cref="ArgumentException">There is more than can be drawn.</exception>
    /// <exception cref="InvalidOperationException">Tokens have different numbers of experts.</exception>
    public static LiveFigure BuffersFilling(RoutingDecision routing, double factor = 1, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(routing);
        routing.Validate();
        if (!(factor is >= 0.25 and <= 3)) throw new ArgumentOutOfRangeException(nameof(factor), factor, "factor must be from 0.25 to 3.");
        using var scope = NewDisposeScope();
        var (weights, experts) = (Rows(routing.TopKWeights), Rows(routing.TopKExperts));
        var capacity = new ExpertCapacity(factor);
        using var generator = new Generator((ulong)seed);
        var (assignments, count) = (routing.Experts.numel(), routing.ExpertCount);
        if (weights.Length > 24 || count > 16) throw new ArgumentException($"there are {weights.Length} tokens and {count} experts; 24 tokens and 16 experts can be drawn", nameof(routing));
        return new("buffers", "Buffers filling",
            "Press Play, or step with ▶: each number is a token, with a stroke for its second choice. Where the expert is full, the token goes past it on the residual lane. Dashed slots are computed and thrown away.",
            [Schematics.ExpertBuffers(capacity.PerExpert(assignments, count), ("When all have arrived, by position", capacity.Apply(routing with { Kept = ones_like(routing.Kept) })))],
            new
            {
                Experts = count,
                Factor = factor,
                Tokens = experts.Zip(weights, (mine, scale) => new { Experts = mine, Weights = scale }),
                Permutation = Noise.Permutation(assignments, CPU, generator).data<long>().ToArray(),
            }, "routing");
    }

    private static double[][] Rows(Tensor table)
    {
        using var scope = NewDisposeScope();
        var numbers = table.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
        return [.. numbers.Chunk((int)table.shape[1])];
    }

    private static Svg RouterPlaygroundStill(double[][] logits, IReadOnlyList<string> tokens)
    {
        const int row = 34, left = 120;
        var width = 620.0 / logits[0].Length;
        var drawing = new Drawing(760, 40 + row * tokens.Count);
        for (var e = 0; e < logits[0].Length; e++) drawing.Text(left + (e + 0.5) * width, 18, $"expert {e}", bold: true);
        for (var t = 0; t < tokens.Count; t++)
        {
            drawing.Text(left - 14, 50 + t * row, tokens[t], "end");
            int[] chosen = [.. Enumerable.Range(0, logits[t].Length).OrderByDescending(e => logits[t][e]).Take(2)];
            var sum = chosen.Sum(e => Math.Exp(logits[t][e]));
            for (var e = 0; e < logits[t].Length; e++)
            {
                var text = logits[t][e].ToString("0.0", CultureInfo.InvariantCulture);
                if (chosen.Contains(e)) text += string.Create(CultureInfo.InvariantCulture, $"   × {Math.Exp(logits[t][e]) / sum:0.00}");
                drawing.Box(left + e * width + 2, 36 + t * row, width - 4, row - 6, text, FigureStyle.Palette[e], chosen.Contains(e));
            }
        }

        return drawing.ToSvg("The logits of every token; in colour the two experts of each, with their weights: the softmax over the two.");
    }
}
