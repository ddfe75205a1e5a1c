using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class LiveFigures
{
    private sealed record TokenStep(string Title, string Text, IReadOnlyList<TokenRow> Rows);

    private sealed record TokenRow(string Name, double[] Numbers, int[] Marked, bool Whole = false)
    {
        public double Largest { get; } = Math.Max(Numbers.Max(Math.Abs), 1e-9);
    }

    /// <summary>One token on its way through a Mixture-of-Experts layer, step by step with its numbers: router, softmax, top-k, gather, experts, weighted sum,
    /// residual. Each step is one of <see cref="LiveFigure.Stills"/> too.</summary>
    /// <param name="layer">A layer with a <see cref="SoftmaxTopKRouter"/> without a selection bias, without shared expert and capacity; at most 16
    /// experts.</param>
    /// <param name="hidden">The hidden states of the token and its neighbours, <c>[tokens, hidden]</c>; at most 16 of each.</param>
    /// <param name="token">Which token, from 0.</param>
    /// <exception cref="ArgumentException">The layer has another form, the shape does not fit, or there is more than can be drawn.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public static LiveFigure FollowToken(MoeLayer layer, Tensor hidden, int token)
    {
        ArgumentNullException.ThrowIfNull(layer);
        Expect.Shape(hidden, nameof(hidden), ("tokens", -1), ("hidden", layer.Experts.HiddenSize));
        if (layer.Router is not SoftmaxTopKRouter { SelectionBias: null, RoutedScalingFactor: 1 } router || layer.Capacity is not null
            || layer.named_children().Any(child => child.name.StartsWith("shared", StringComparison.Ordinal)))
            throw new ArgumentException("the layer must have a SoftmaxTopKRouter without selection bias and scale, and neither a capacity nor a shared expert", nameof(layer));
        if (hidden.shape[0] > 16 || hidden.shape[1] > 16 || router.ExpertCount > 16)
            throw new ArgumentException($"there are {hidden.shape[0]} tokens of {hidden.shape[1]} numbers and {router.ExpertCount} experts; up to 16 of each can be drawn", nameof(hidden));
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, hidden.shape[0]);

        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var routing = router.forward(new(hidden.unsqueeze(0)));
        double[] x = Rows(hidden)[token], logits = Rows(routing.Logits)[token], scores = Rows(routing.Scores)[token];
        var weights = Rows(routing.TopKWeights)[token];
        var visits = Rows(routing.TopKExperts);
        int[] chosen = [.. visits[token].Select(expert => (int)expert)];
        var one = hidden.narrow(0, token, 1);
        var experts = layer.Experts.Unbind();
        double[][] computed = [.. chosen.Select(expert => Rows(experts[expert].Forward(one))[0])];
        var output = Rows(layer.forward(one.unsqueeze(0), new())[0])[0];
        TokenRow[] slices =
        [
            .. chosen.Select(expert =>
            {
                double[] slice = [.. Enumerable.Range(0, visits.Length).Where(other => visits[other].Contains(expert)).Select(other => (double)other)];
                return new TokenRow($"rows of expert {expert}", slice, [Array.IndexOf(slice, token)], Whole: true);
            }),
        ];
        TokenStep[] steps =
        [
            new($"The hidden state of token {token}", $"{x.Length} numbers: the token as the layer sees it.", [new("x", x, [])]),
            new("Router: one logit for each expert", "z = W x: the product of the hidden state with a row of W for each expert.", [new("x", x, []), new("logits z", logits, [])]),
            new("Softmax: logits become probabilities", "Each is e to its logit, divided by the sum of all; together they are 1.", [new("logits z", logits, []), new("probabilities p", scores, [])]),
            new($"Top-k: the {chosen.Length} largest win", router.NormalizeWeights
                ? "The weights are their probabilities, divided by their sum: together they are 1."
                : "The weights are their probabilities as they are: together they are less than 1.",
                [new("probabilities p", scores, chosen), new($"weights of expert {string.Join(", ", chosen)}", weights, [])]),
            new("Gather: its row is copied to each of its experts", "The numbers are tokens: those that visit the same expert are one slice, and one matrix product.", slices),
            new("Experts: each computes the row", "The same hidden state, different weights: the answers have nothing to do with each other.",
                [.. chosen.Zip(computed, (expert, row) => new TokenRow($"expert {expert} of x", row, []))]),
            new("Scatter: the weighted answers are added up", "Each answer times its weight; the sum goes back to the token's own row.",
            [
                .. chosen.Select((expert, i) => new TokenRow(string.Create(CultureInfo.InvariantCulture, $"{weights[i]:0.00} × expert {expert}"),
                    [.. computed[i].Select(number => number * weights[i])], [])),
                new("output y", output, []),
            ]),
            new("Residual: the output is added to the stream", "What the experts do not change stays. (In a block the stream is what came before the norm; here it is x itself.)",
                [new("x", x, []), new("output y", output, []), new("x + y", [.. x.Zip(output, (a, b) => a + b)], [])]),
        ];
        return new("follow-token", $"Follow token {token} through the layer",
            "Step with ◀ and ▶. Orange numbers are positive, blue ones negative; a frame marks what was chosen.",
            [.. steps.Select((step, i) => TokenStill(step, $"{i + 1} of {steps.Length}"))], new { Steps = steps });
    }

    private static Svg TokenStill(TokenStep step, string place)
    {
        const int row = 34, inARow = 8, cell = 68;
        var lines = step.Rows.Sum(one => (one.Numbers.Length + inARow - 1) / inARow);
        var drawing = new Drawing(760, 50 + lines * row);
        drawing.Text(16, 22, $"{step.Title} ({place})", "start", 15, bold: true);
        double y = 44;
        foreach (var one in step.Rows)
        {
            drawing.Text(16, y + row / 2.0, one.Name, "start");
            for (var i = 0; i < one.Numbers.Length; i++)
            {
                if (i > 0 && i % inARow == 0) y += row;
                var number = one.Numbers[i];
                drawing.Box(200 + i % inARow * cell, y + 4, cell - 4, row - 8, number.ToString(one.Whole ? "0" : "0.00", CultureInfo.InvariantCulture),
                    one.Whole ? FigureStyle.Grey : number < 0 ? FigureStyle.SkyBlue : FigureStyle.Orange, one.Marked.Length == 0 || one.Marked.Contains(i));
            }

            y += row;
        }

        return drawing.ToSvg($"{step.Title}. {step.Text}");
    }
}
