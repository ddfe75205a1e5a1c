using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A limit on the assignments of each expert: ⌈factor · assignments / experts⌉ (Fedus et al. 2021, eq. 3). What is over the limit is dropped, and its
/// token passes through on the residual stream.</summary>
/// <param name="Factor">The capacity factor: 1 leaves room for a perfectly even load and no more.</param>
/// <param name="Policy">Which assignments stay.</param>
public sealed record ExpertCapacity(double Factor, DropPolicy Policy = DropPolicy.Position)
{
    /// <summary>The capacity factor, above 0.</summary>
    public double Factor { get; } = Factor > 0 && double.IsFinite(Factor)
        ? Factor
        : throw new ArgumentOutOfRangeException(nameof(Factor), Factor, "Factor must be a positive number.");

    /// <summary>The number of assignments that each expert has room for.</summary>
    /// <param name="assignments">Number of assignments.</param>
    /// <param name="experts">Number of experts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or there are no experts.</exception>
    public long PerExpert(long assignments, long experts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(assignments);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(experts);
        return (long)Math.Min(assignments, Math.Ceiling(Factor * assignments / experts));
    }

    /// <summary>Drops what exceeds each expert's capacity.</summary>
    /// <param name="routing">A decision; assignments that it dropped already take no room.</param>
    /// <param name="generator">The source of <see cref="DropPolicy.Random"/>; null for TorchSharp's global one.</param>
    /// <returns>The same decision with other <see cref="RoutingDecision.Kept"/>.</returns>
    /// <exception cref="ArgumentException">The decision's tensors do not fit together.</exception>
    public RoutingDecision Apply(RoutingDecision routing, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(routing);
        routing.Validate();
        var limit = PerExpert(routing.Experts.numel(), routing.ExpertCount);
        using var scope = NewDisposeScope();
        var order = QueueOrder(routing, generator); // [assignments], who comes first
        var asking = routing.Kept.index_select(0, order); // [assignments]
        // What was dropped before queues for itself: so no number must come back from a GPU.
        var queues = routing.Experts.index_select(0, order).masked_fill(asking.logical_not(), routing.ExpertCount); // [assignments]
        var places = ExpertSlots.Of(queues, routing.ExpertCount + 1); // [assignments]
        var kept = zeros_like(routing.Kept).scatter(0, order, (places < limit).logical_and(asking)); // [assignments]
        return routing with { Kept = kept.MoveToOuterDisposeScope() };
    }

    /// <summary>The assignments in the order in which they ask for room.</summary>
    private Tensor QueueOrder(RoutingDecision routing, Generator? generator)
    {
        var (count, device) = (routing.Experts.numel(), routing.Experts.device);
        if (Policy == DropPolicy.Random)
            return Noise.Permutation(count, device, generator);

        // Token after token or by weight, and then first choices before second ones. Where experts choose there is one choice for all.
        var (priority, descending) = (routing.Tokens, false);
        if (Policy == DropPolicy.BatchPrioritized)
        {
            var weights = routing.Weights.detach();
            // The largest weight of the assignment's token, [assignments].
            priority = routing.ExpertsPerToken is null ? weights : routing.TopKWeights.detach().amax([1L]).index_select(0, routing.Tokens);
            descending = true;
        }

        var (_, order) = priority.sort(0, descending, stable: true);
        if (routing.ExpertsPerToken is not { } k) return order;
        var choice = arange(count, ScalarType.Int64, device).remainder(k).index_select(0, order); // [assignments]
        var (_, byChoice) = choice.sort(0, stable: true);
        return order.index_select(0, byChoice);
    }
}
