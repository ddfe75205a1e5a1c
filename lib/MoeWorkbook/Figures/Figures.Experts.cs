using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class Figures
{
    /// <summary>The share of assignments that are dropped, over the capacity factor.</summary>
    /// <param name="routers">The decisions of several routers, each with a name; what they have dropped already stays dropped.</param>
    /// <param name="factors">The capacity factors, each above 0.</param>
    /// <param name="policy">Which assignments stay. The share is the same for every policy where nothing was dropped before.</param>
    /// <exception cref="ArgumentException">There is no router.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A factor is not a positive number.</exception>
    public static Figure DroppedByCapacity(IEnumerable<(string Name, RoutingDecision Routing)> routers, IEnumerable<double> factors,
        DropPolicy policy = DropPolicy.Position)
    {
        ArgumentNullException.ThrowIfNull(routers);
        ArgumentNullException.ThrowIfNull(factors);
        double[] tried = [.. factors];
        return FromZero(Lines(
            routers.Select(router => (router.Name,
                (IEnumerable<(double, double)>)[.. tried.Select(factor => (factor, 100 * DroppedShare(router.Routing, new(factor, policy))))])),
            "Dropped assignments against the capacity factor",
            "At factor 1 only a perfectly even load fits. The more uneven the router, the larger the factor that is needed, and every step of it is paid for in padding.",
            "capacity factor", "assignments dropped (%)"));
    }

    /// <summary>Who loses: the share of assignments dropped, over the position of their token in the batch.</summary>
    /// <param name="routings">Decisions with what they drop, each with a name.</param>
    /// <param name="bins">Into how many equal stretches the batch is divided.</param>
    /// <exception cref="ArgumentException">There is no decision, or one has fewer tokens than stretches.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bins"/> is not positive.</exception>
    public static Figure DroppedByPosition(IEnumerable<(string Name, RoutingDecision Routing)> routings, int bins = 16)
    {
        ArgumentNullException.ThrowIfNull(routings);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bins);
        return FromZero(Lines(
            routings.Select(r => (r.Name, (IEnumerable<(double, double)>)Shares(r.Routing))),
            "Which tokens lose their assignments",
            "By position, who comes late finds experts full. The other policies do not look at the place of a token and spread the loss.",
            "position in the batch (token)", "assignments dropped (%)"));

        List<(double, double)> Shares(RoutingDecision routing)
        {
            if (routing.TokenCount < bins)
                throw new ArgumentException($"{routing.TokenCount} tokens cannot be divided into {bins} stretches", nameof(routings));
            using var scope = NewDisposeScope();
            var bin = (routing.Tokens * bins).floor_divide(routing.TokenCount).cpu(); // [assignments]
            var all = zeros(bins).index_add(0, bin, ones_like(bin, ScalarType.Float32), 1); // [bins]
            var kept = zeros(bins).index_add(0, bin, routing.Kept.cpu().to(ScalarType.Float32), 1); // [bins]
            float[] shares = [.. (100 * (1 - kept / all.clamp_min(1))).data<float>()];
            return [.. shares.Select((share, i) => ((i + 0.5) * routing.TokenCount / bins, (double)share))];
        }
    }

    /// <summary>The load of each expert in each layer, as a heat map of shares.</summary>
    /// <param name="layers">The decision of each Mixture-of-Experts layer, all with as many experts (see <see cref="ForwardContext.Routing"/>).</param>
    /// <param name="names">The name of each layer; null for "layer 0", "layer 1" and so on.</param>
    /// <exception cref="ArgumentException">There is no layer, the layers differ in their number of experts, or there are not as many names as
    /// layers.</exception>
    public static Figure LoadByLayer(IReadOnlyList<RoutingDecision> layers, IReadOnlyList<string>? names = null)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.Count == 0) throw new ArgumentException("there is no layer to draw", nameof(layers));
        var experts = (int)layers[0].ExpertCount;
        if (layers.FirstOrDefault(layer => layer.ExpertCount != experts) is { } other)
            throw new ArgumentException($"the layers must have as many experts each, but there are {experts} and {other.ExpertCount}", nameof(layers));
        var shares = new double[layers.Count, experts];
        for (var layer = 0; layer < layers.Count; layer++)
        {
            var statistics = LoadStatistics.Of(layers[layer]);
            for (var e = 0; e < experts; e++) shares[layer, e] = 100 * statistics.Shares[e];
        }

        return HeatMap(shares,
            names ?? [.. layers.Select((_, i) => $"layer {i}")], [.. Enumerable.Range(0, experts).Select(e => $"{e}")],
            "Load of the experts, layer by layer",
            string.Create(CultureInfo.InvariantCulture, $"Each row adds up to 100%. With an even load every cell would be {100.0 / experts:0.#}%."),
            "expert", "layer", "assignments (%)");
    }

    private static Figure FromZero(Figure figure) => figure.With(new { yaxis = new { rangemode = "tozero" } });

    private static double DroppedShare(RoutingDecision routing, ExpertCapacity capacity)
    {
        using var scope = NewDisposeScope();
        return LoadStatistics.Of(capacity.Apply(routing)).DroppedShare;
    }
}
