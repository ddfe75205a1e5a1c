using System.Globalization;

namespace MoeWorkbook;

public static partial class Schematics
{
    /// <summary>One dense decoder block from top to bottom, with the shape of every tensor on the way.</summary>
    /// <param name="config">The model, whose sizes are shown: grouped-query attention and a gated feed-forward block.</param>
    /// <exception cref="ArgumentException">The model has no dense layer with full attention and a gated feed-forward block.</exception>
    public static Svg DecoderBlock(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (!config.FeedForward.IsGated()
            || !config.LayerAttention.Zip(config.MoeLayers).Any(layer => layer is (AttentionKind.Full or AttentionKind.SlidingWindow, false)))
            throw new ArgumentException("the drawing shows a dense layer with grouped-query attention and a gated feed-forward block; the model has none", nameof(config));

        var (heads, keyValueHeads, headSize) = (config.Attention.HeadCount, config.Attention.KeyValueHeadCount, config.Attention.HeadSize);
        string hidden = $"[S, {config.HiddenSize}]", inner = $"[S, {config.IntermediateSize}]", query = $"[{heads}, S, {headSize}]", keyValue = $"[{keyValueHeads}, S, {headSize}]";
        const double middle = 400, queries = 240, keys = 400, values = 560, residual = 90;
        var drawing = new Drawing(700, 872);

        drawing.Text(middle, 18, "hidden states", bold: true);
        Down(middle, 30, 84, hidden);
        Around(46, 476);
        drawing.Box(middle - 60, 84, 120, 28, "RMSNorm", FigureStyle.Grey);
        drawing.Line(FigureStyle.Ink, 1.5, (middle, 112), (middle, 126), (queries, 126), (queries, 132));
        drawing.Line(FigureStyle.Ink, 1.5, (middle, 126), (values, 126), (values, 132));
        foreach (var (x, name) in new[] { (queries, "queries"), (keys, "keys"), (values, "values") })
        {
            Down(x, 126, 148);
            drawing.Box(x - 55, 148, 110, 30, name, FigureStyle.Orange);
        }
        Down(queries, 178, 214, query);
        Down(keys, 178, 214, keyValue);
        drawing.Box(queries - 55, 214, 110, 28, "rotate", FigureStyle.SkyBlue);
        drawing.Box(keys - 55, 214, 110, 28, "rotate", FigureStyle.SkyBlue);
        Down(queries, 242, 278, query);
        Down(keys, 242, 278, keyValue);
        drawing.Box(queries - 55, 278, keys - queries + 110, 32, $"q · k / √{headSize}, causal mask, softmax", FigureStyle.Grey);
        drawing.Arrow(FigureStyle.Ink, 1.5, (keys, 310), (keys, 346));
        drawing.Text(keys + 10, 327, $"[{heads}, S, S]", "start", 12);
        drawing.Box(middle - 75, 346, 150, 28, "weights × values", FigureStyle.Grey);
        drawing.Arrow(FigureStyle.Ink, 1.5, (values, 178), (values, 360), (middle + 76, 360));
        drawing.Text(values + 10, 196, keyValue, "start", 12);
        Down(middle, 374, 408, $"{query}, side by side [S, {config.Attention.QueryWidth}]");
        drawing.Box(middle - 55, 408, 110, 28, "output", FigureStyle.Orange);
        Down(middle, 436, 464, hidden);
        drawing.Circle(middle, 476, "+");

        Down(middle, 488, 536, hidden);
        Around(504, 814);
        drawing.Box(middle - 60, 536, 120, 28, "RMSNorm", FigureStyle.Grey);
        const double gate = 320, up = 480;
        drawing.Line(FigureStyle.Ink, 1.5, (middle, 564), (middle, 576));
        foreach (var (x, name) in new[] { (gate, "gate"), (up, "up") })
        {
            drawing.Arrow(FigureStyle.Ink, 1.5, (middle, 576), (x, 576), (x, 598));
            drawing.Box(x - 55, 598, 110, 30, name, FigureStyle.Vermilion);
        }
        Down(gate, 628, 660, inner);
        drawing.Box(gate - 40, 660, 80, 26, "SiLU", FigureStyle.SkyBlue);
        drawing.Arrow(FigureStyle.Ink, 1.5, (gate, 686), (gate, 710), (middle - 12, 710));
        drawing.Arrow(FigureStyle.Ink, 1.5, (up, 628), (up, 710), (middle + 12, 710));
        drawing.Text(up + 10, 644, inner, "start", 12);
        drawing.Circle(middle, 710, "⊙");
        Down(middle, 722, 746, inner);
        drawing.Box(middle - 55, 746, 110, 28, "down", FigureStyle.Vermilion);
        Down(middle, 774, 802, hidden);
        drawing.Circle(middle, 814, "+");
        Down(middle, 826, 862, hidden);

        return drawing.ToSvg(string.Create(CultureInfo.InvariantCulture,
            $"One dense block and the shape of each tensor for a sequence of S tokens. Boxes with an orange or a red edge are products with "
                + $"a weight matrix: orange of attention, red of the feed-forward half. Attention mixes positions; everything else works on "
                + $"each position alone. Here {heads} query heads share {keyValueHeads} key-value heads."));

        void Down(double x, double from, double to, string? shape = null)
        {
            drawing.Arrow(FigureStyle.Ink, 1.5, (x, from), (x, to));
            if (shape is not null)
                drawing.Text(x + 10, (from + to) / 2 - 1, shape, "start", 12);
        }

        // The residual stream past one half of the block.
        void Around(double from, double to) => drawing.Arrow(FigureStyle.Ink, 1.5, (middle, from), (residual, from), (residual, to), (middle - 12, to));
    }
}
