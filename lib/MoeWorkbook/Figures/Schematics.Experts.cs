using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class Schematics
{
    private const int MostTokens = 12, MostAssignments = 32, MostExperts = 16, MostInARow = 24;

    /// <summary>The sorted runner on a few tokens: tokens are gathered in the order of their experts, each expert computes one slice, and the weighted results
    /// are scattered back.</summary>
    /// <param name="routing">A decision about at most 12 tokens, with 1 to 32 kept assignments to at most 16 experts. Dropped assignments are left out.</param>
    /// <exception cref="ArgumentException">There is more than can be drawn, or no kept assignment.</exception>
    public static Svg SortedAssignments(RoutingDecision routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        var kept = Assignments(routing).Where(a => a.Kept).OrderBy(a => a.Expert).ToList();
        if (kept.Count is 0 or > MostAssignments || routing.TokenCount > MostTokens || routing.ExpertCount > MostExperts)
            throw new ArgumentException(
                $"the decision has {routing.TokenCount} tokens, {kept.Count} kept assignments and {routing.ExpertCount} experts; up to {MostTokens} tokens, 1 to {MostAssignments} assignments and {MostExperts} experts can be drawn", nameof(routing));

        const double row = 25, gap = 12, top = 40;
        var groups = kept.Select(a => a.Expert).Distinct().Count();
        double height = kept.Count * row + (groups - 1) * gap, tokenRow = height / routing.TokenCount;
        var drawing = new Drawing(760, (int)(top + height + 44));
        foreach (var (x, text) in (ReadOnlySpan<(double, string)>)[(45, "tokens"), (262, "sorted by expert"), (405, "experts"), (714, "outputs")])
            drawing.Text(x, 20, text, bold: true);
        foreach (var (x, text) in (ReadOnlySpan<(double, string)>)[(143, "one gather"), (585, "one scatter")])
            drawing.Text(x, top + height + 24, text, size: 12, faint: true);

        var y = top;
        foreach (var slice in kept.GroupBy(a => a.Expert))
        {
            var colour = FigureStyle.Palette[(int)(slice.Key % FigureStyle.Palette.Count)];
            var sliceHeight = slice.Count() * row;
            drawing.Box(360, y + 1, 90, sliceHeight - 2, $"expert {slice.Key}", colour);
            foreach (var assignment in slice)
            {
                double middle = y + row / 2, token = top + (assignment.Token + 0.5) * tokenRow;
                drawing.Line(colour, 1.5, (82, token), (206, middle));
                drawing.Box(208, y + 2, 108, row - 4, $"token {assignment.Token}", colour);
                drawing.Arrow(colour, 1.5, (316, middle), (358, middle));
                drawing.Text(454, middle, "× " + assignment.Weight.ToString("0.00", CultureInfo.InvariantCulture), "start", 12);
                drawing.Line(colour, 1.5, (498, middle), (676, token));
                y += row;
            }
            y += gap;
        }
        for (var token = 0; token < routing.TokenCount; token++)
        {
            double middle = top + (token + 0.5) * tokenRow, boxHeight = Math.Min(30, tokenRow - 4);
            drawing.Box(8, middle - boxHeight / 2, 74, boxHeight, $"token {token}", FigureStyle.Grey);
            drawing.Box(678, middle - boxHeight / 2, 74, boxHeight, $"Σ token {token}", FigureStyle.Grey);
        }
        return drawing.ToSvg("Every token appears once for each of its experts. After sorting, an expert's tokens lie next to each other: it computes one slice. The results, each times its weight, are added to the rows of the tokens they came from.");
    }

    /// <summary>The buffers <c>[experts, capacity, hidden]</c> of a layer with static shapes: filled slots, slots that are padding, and the assignments that
    /// found no room.</summary>
    /// <param name="capacity">The number of slots of each expert.</param>
    /// <param name="routings">Decisions with what they drop (see <see cref="ExpertCapacity.Apply"/>), each with a title; one below the other.</param>
    /// <exception cref="ArgumentException">There is no decision, one keeps more than fits, or there is more than can be drawn.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is not positive.</exception>
    public static Svg ExpertBuffers(long capacity, params IReadOnlyList<(string Title, RoutingDecision Routing)> routings)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentNullException.ThrowIfNull(routings);
        if (routings.Count == 0) throw new ArgumentException("there is no decision to draw", nameof(routings));
        var panels = routings.Select(r => (r.Title, Experts: Queues(r.Routing, capacity))).ToList();
        var longest = panels.Max(panel => panel.Experts.Max(expert => capacity + expert.Dropped.Length));
        if (longest > MostInARow || panels.Any(panel => panel.Experts.Length > MostExperts))
            throw new ArgumentException($"up to {MostExperts} experts and {MostInARow} slots and dropped assignments in a row can be drawn", nameof(routings));

        const double row = 34, left = 100, between = 22, heading = 60;
        double slot = Math.Min(44, (760 - left - between - 16) / longest), dropped = left + capacity * slot + between;
        var drawing = new Drawing(760, (int)(panels.Sum(panel => heading + panel.Experts.Length * row) + 16));
        double y = 0;
        foreach (var (title, experts) in panels)
        {
            drawing.Text(16, y + 22, title, "start", size: 14, bold: true);
            drawing.Text(left, y + 46, "slots", "start", size: 12, faint: true);
            if (experts.Any(expert => expert.Dropped.Length > 0)) drawing.Text(dropped, y + 46, "dropped", "start", size: 12, faint: true);
            y += heading;
            for (var e = 0; e < experts.Length; e++, y += row)
            {
                drawing.Text(left - 12, y + row / 2, $"expert {e}", "end");
                for (var i = 0; i < capacity; i++)
                {
                    var filled = i < experts[e].Filled.Length;
                    drawing.Box(left + i * slot + 1, y + 3, slot - 2, row - 6, filled ? $"{experts[e].Filled[i]}" : "",
                        filled ? FigureStyle.Blue : FigureStyle.Grey, filled);
                }
                for (var i = 0; i < experts[e].Dropped.Length; i++)
                    drawing.Box(dropped + i * slot + 1, y + 3, slot - 2, row - 6, $"{experts[e].Dropped[i]}", FigureStyle.Vermilion);
            }
        }
        return drawing.ToSvg($"Each expert has {capacity} slots, whatever the router decides. Blue: a slot with the number of its token. "
            + "Empty: padding, computed and thrown away. Orange, at the right: a token that found its expert full.");
    }

    private static (long[] Filled, long[] Dropped)[] Queues(RoutingDecision routing, long capacity)
    {
        var byExpert = Assignments(routing).ToLookup(a => a.Expert);
        var queues = new (long[] Filled, long[] Dropped)[routing.ExpertCount];
        for (var e = 0; e < queues.Length; e++)
        {
            queues[e] = ([.. byExpert[e].Where(a => a.Kept).Select(a => a.Token)], [.. byExpert[e].Where(a => !a.Kept).Select(a => a.Token)]);
            if (queues[e].Filled.Length > capacity)
                throw new ArgumentException($"expert {e} keeps {queues[e].Filled.Length} assignments and has {capacity} slots; apply an ExpertCapacity first", nameof(routing));
        }
        return queues;
    }

    private static List<(long Token, long Expert, double Weight, bool Kept)> Assignments(RoutingDecision routing)
    {
        using var scope = NewDisposeScope();
        long[] tokens = [.. routing.Tokens.cpu().data<long>()], experts = [.. routing.Experts.cpu().data<long>()];
        double[] weights = [.. routing.Weights.detach().cpu().to(ScalarType.Float64).data<double>()];
        bool[] kept = [.. routing.Kept.cpu().data<bool>()];
        return [.. tokens.Select((token, i) => (token, experts[i], weights[i], kept[i]))];
    }
}
