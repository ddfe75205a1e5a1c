using System.Globalization;
using Plotly.NET.CSharp;
using StyleParam = Plotly.NET.StyleParam;

namespace MoeWorkbook;

public static partial class Figures
{
    private const int LongestContext = 131_072;

    /// <summary>The key-value cache of one sequence against its length, both axes logarithmic. Each line ends at the longest sequence that the model was made
    /// for.</summary>
    /// <param name="models">The models, decoders.</param>
    /// <param name="bytesPerElement">Bytes of one cached number: 2 for 16-bit types.</param>
    /// <exception cref="ArgumentException">There is no model.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bytesPerElement"/> is below 1.</exception>
    public static Figure CacheAgainstContext(IEnumerable<PublishedModel> models, int bytesPerElement = 2)
    {
        var lines = Counted(models).Select(m => (m.Model.Name, Contexts(m.Model.Config.MaxPositions ?? LongestContext)
            .Select(context => ((double)context, KeyValueCacheSize.Bytes(m.Model.Config, context, bytesPerElement) / Billion))));
        return Lines(lines, "The key-value cache against the context",
            "Every token adds the same number of bytes, so the lines are parallel; what differs is how much a model keeps of a position. A line that starts flat holds a state of fixed size as well.",
            "context (positions)", $"cache of one sequence at {8 * bytesPerElement} bits (GB)", logarithmic: true);
    }

    /// <summary>The key-value cache of models of the catalog against the length of the sequence.</summary>
    /// <param name="ids">Names from <see cref="ModelCatalog.Ids"/>.</param>
    /// <exception cref="ModelConfigException">The catalog has no model of that name.</exception>
    public static Figure CacheAgainstContext(IEnumerable<string> ids) => CacheAgainstContext(ids.Select(ModelCatalog.Find));

    /// <summary>The floating-point operations of one token by component against the context length, both axes logarithmic.</summary>
    /// <param name="model">The model, a decoder.</param>
    /// <remarks>Where layers have a sliding window, attention between positions is drawn twice: with the window and without.</remarks>
    /// <exception cref="NotSupportedException">The model has an encoder.</exception>
    public static Figure FlopsAgainstContext(PublishedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var config = model.Config;
        var active = ParameterCount.Of(config).ActiveByComponent;
        var windowless =
            config with { LayerAttention = [.. config.LayerAttention.Select(kind => kind == AttentionKind.SlidingWindow ? AttentionKind.Full : kind)] };
        int[] contexts = [.. Contexts(LongestContext)];
        var feedForward = Products(ModelComponent.DenseFeedForward, ModelComponent.RoutedExperts, ModelComponent.SharedExperts, ModelComponent.Router);
        var projections = Products(ModelComponent.Attention);

        List<FlopsLine> lines =
        [
            new("feed-forward", FigureStyle.Vermilion, _ => feedForward, StyleParam.DrawingStyle.Solid),
            new("attention: projections", FigureStyle.Orange, _ => projections, StyleParam.DrawingStyle.Solid),
            new("attention: between positions", FigureStyle.Blue, context => Between(windowless, context), StyleParam.DrawingStyle.Solid),
        ];
        if (config.LayerAttention.Contains(AttentionKind.SlidingWindow))
            lines.Add(new(string.Create(CultureInfo.InvariantCulture, $"the same with a window of {config.Attention.SlidingWindow:N0}"), FigureStyle.SkyBlue,
                context => Between(config, context), StyleParam.DrawingStyle.Dash));
        lines.Add(new("head", FigureStyle.Purple,
            _ => Products(config.TiedEmbeddings ? ModelComponent.Embeddings : ModelComponent.Head), StyleParam.DrawingStyle.Solid));

        var chart = Chart.Combine(lines.Select(line => Chart.Line<double, double, string>(
            x: contexts.Select(context => (double)context), y: contexts.Select(line.Flops), Name: line.Name,
            LineColor: FigureStyle.ToColor(line.Color), LineDash: line.Dash)));
        return new Figure(Titled(chart, "context (positions)", "operations per token (GFLOP)", StyleParam.AxisType.Log, StyleParam.AxisType.Log),
            $"Where one token's operations go: {model.Name}",
            "Products with weights cost the same at every context; attention between positions grows with it. The feed-forward part is the largest until the rising line crosses it.")
        {
            Height = 460,
            Layout = new
            {
                xaxis = LogAxis(Math.Log10(contexts[0]), Math.Log10(contexts[^1])),
                yaxis = new { dtick = 1, exponentformat = "none" },
                annotations = new[] { projections, feedForward }.Select(Crossing).OfType<object>().ToArray(),
                template = Hover("scatter", "%{fullData.name}<br>%{x:,} positions: %{y:.3~g} GFLOP<extra></extra>"),
            },
        };

        double Products(params ModelComponent[] components) => components.Sum(component => 2.0 * active[component]) / Billion;

        static double Between(ModelConfig config, int context) => ForwardFlops.PerToken(config, context).Attention / Billion;

        // Where attention between positions has grown to a component's operations.
        object? Crossing(double flops)
        {
            double perPosition = Between(windowless, 2) - Between(windowless, 1), context = 1 + (flops - Between(windowless, 1)) / perPosition;
            if (!(context > contexts[0] && context < contexts[^1]))
                return null;
            return Label(string.Create(CultureInfo.InvariantCulture, $"{context:N0} positions"), Math.Log10(context), Math.Log10(flops), (-40, -34));
        }
    }

    private sealed record FlopsLine(string Name, string Color, Func<int, double> Flops, StyleParam.DrawingStyle Dash);

    // Powers of two from 256, and the longest itself.
    private static IEnumerable<int> Contexts(int longest)
    {
        for (var context = 256; context < longest; context *= 2)
            yield return context;
        yield return longest;
    }
}
