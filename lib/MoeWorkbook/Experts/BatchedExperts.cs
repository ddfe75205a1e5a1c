using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Experts for a GPU, which is handed work and must not wait for the host: a few large products, and at most one number asked back from the
/// device.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>A few assignments to small experts: the chosen experts' weights are gathered and multiplied in one batch. The host learns nothing.</item>
/// <item>Most experts busy, or all small: each expert's tokens are padded to the rows of the busiest, and all experts are two batched products
/// (<see cref="ExpertWeights.forward"/>). The host asks for the load once.</item>
/// <item>Otherwise, as in decoding with large experts or after a collapse: assignments grouped by expert, and products for each busy expert alone. The host
/// asks once, for the load or, where there are few assignments, for their experts, and the weights of the others are not touched.</item>
/// </list>
/// It computes on every device, and with gradients. The thresholds between the three are estimates from the published bandwidth, rate and launch times of
/// recent NVIDIA GPUs, a few microseconds for each piece of work; they are not yet measured on one.
/// </remarks>
public sealed class BatchedExperts : ExpertRunner
{
    private const int FewAssignments = 16;

    // What a GPU reads while it is handed the half dozen pieces of work of one expert: some 25 µs at some 2.5 TB/s.
    private const long BytesWhileHandedAnExpert = 64L << 20;

    // Up to about here a product waits for its weights, and padded rows cost nothing.
    private const long FreeRows = 64;

    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        if (routing.Tokens.numel() == 0) return zeros_like(hidden);
        var inputs = hidden.index_select(0, routing.Tokens); // [assignments, hidden]
        var computed = Gathers(routing.Tokens.numel(), experts)
            ? Gathered(inputs, routing, experts)
            : Loaded(inputs, routing, experts); // [assignments, hidden]
        var weighted = (computed * routing.Weights.unsqueeze(1).to(hidden.dtype)).masked_fill(routing.Kept.logical_not().unsqueeze(1), 0);
        return routing.ExpertsPerToken is { } k
            ? weighted.view(routing.TokenCount, k, -1).sum(dim: 1) // always in the same order, which adding to rows in parallel is not
            : zeros_like(hidden).index_add(0, routing.Tokens, weighted, 1);
    }

    /// <summary>Whether the chosen experts' weights are gathered: where writing and reading them once more takes less time than handing over each expert's
    /// work.</summary>
    internal static bool Gathers(long assignments, ExpertWeights experts) =>
        assignments <= FewAssignments && 2 * BytesPerExpert(experts) <= BytesWhileHandedAnExpert;

    /// <summary>Whether all experts are computed, padded to the rows of the busiest: not where reading the idle ones in vain takes longer than handing over the
    /// busy ones' work, or where half of the rows would be padding that costs time.</summary>
    internal static bool Pads(ReadOnlySpan<long> load, long bytesPerExpert)
    {
        long busy = 0, rows = 0, kept = 0;
        foreach (var count in load)
        {
            if (count > 0) busy++;
            rows = Math.Max(rows, count);
            kept += count;
        }

        return (load.Length - busy) * bytesPerExpert <= busy * BytesWhileHandedAnExpert && (rows <= FreeRows || load.Length * rows <= 2 * kept);
    }

    internal static long BytesPerExpert(ExpertWeights experts) =>
        (experts.GateUp.numel() + experts.Down.numel()) / experts.ExpertCount * experts.GateUp.element_size();

    private static Tensor Gathered(Tensor inputs, RoutingDecision routing, ExpertWeights experts) =>
        experts.ForwardChosen(inputs.unsqueeze(1), routing.Experts).squeeze(1);

    /// <summary>Asks the device who has work, the one time that the host waits for it, and chooses.</summary>
    private static Tensor Loaded(Tensor inputs, RoutingDecision routing, ExpertWeights experts)
    {
        var none = experts.ExpertCount; // stands for the expert of a dropped assignment
        var owners = routing.Experts.masked_fill(routing.Kept.logical_not(), none); // [assignments]
        // Few are counted here: on the device that would be several pieces of work more before the first weight is read.
        var few = owners.numel() <= FewAssignments ? owners.cpu().data<long>().ToArray() : null;
        var load = few is null ? Count(owners, none) : Count(few, none); // of each expert, and of none
        if (load[none] == owners.numel()) return zeros_like(inputs);
        if (Pads(load.AsSpan(..none), BytesPerExpert(experts))) return Padded(inputs, owners, load[..none].Max(), experts);
        if (few is null) return OneByOne(inputs, owners.sort(0, stable: true).Indices, Enumerable.Range(0, none + 1), load, experts);

        var groups = Enumerable.Range(0, few.Length).GroupBy(assignment => (int)few[assignment]).ToArray(); // in the order of their first assignments
        long[] order = [.. groups.SelectMany(group => group)];
        // One token has each expert once: its assignments are in order already.
        var permutation = groups.Length == few.Length ? null : tensor(order, device: inputs.device);
        return OneByOne(inputs, permutation, groups.Select(group => group.Key), load, experts);
    }

    private static long[] Count(Tensor owners, int none) =>
        zeros(none + 1, dtype: ScalarType.Int64, device: owners.device).index_add(0, owners, ones_like(owners), 1).cpu().data<long>().ToArray();

    private static long[] Count(long[] owners, int none)
    {
        var load = new long[none + 1];
        foreach (var owner in owners) load[owner]++;
        return load;
    }

    private static Tensor Padded(Tensor inputs, Tensor owners, long rows, ExpertWeights experts)
    {
        var slots = owners * rows + ExpertSlots.Of(owners, experts.ExpertCount + 1); // [assignments], each its own row
        var end = experts.ExpertCount * rows; // what was dropped goes to one row more
        var padded = zeros(end + 1, experts.HiddenSize, dtype: inputs.dtype, device: inputs.device)
            .index_copy(0, slots.clamp_max(end), inputs); // [experts · rows + 1, hidden]
        var computed = experts.forward(padded.narrow(0, 0, end).view(experts.ExpertCount, rows, -1)); // [experts, rows, hidden]
        return computed.flatten(0, 1).index_select(0, slots.clamp_max(end - 1));
    }

    /// <summary>Expert after expert, each on its assignments alone.</summary>
    /// <param name="inputs">The hidden state of each assignment, <c>[assignments, hidden]</c>.</param>
    /// <param name="order">The assignments, those of one expert together, <c>[assignments]</c>; null where they are so already.</param>
    /// <param name="owners">The experts in that order, with the one that stands for none.</param>
    /// <param name="load">Number of assignments of each.</param>
    /// <param name="experts">The experts.</param>
    private static Tensor OneByOne(Tensor inputs, Tensor? order, IEnumerable<int> owners, long[] load, ExpertWeights experts)
    {
        var busy = owners.Where(owner => load[owner] > 0).ToArray();
        var parts = (order is null ? inputs : inputs.index_select(0, order))
            .split([.. busy.Select(owner => load[owner])], 0); // for each [its assignments, hidden]
        var each = experts.Unbind();
        // Of dropped assignments the output does not count.
        var computed = cat([.. busy.Zip(parts, (owner, part) => owner < each.Length ? each[owner].Forward(part) : part)], 0); // [assignments, hidden]
        return order is null ? computed : zeros_like(inputs).index_copy(0, order, computed);
    }
}
