using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>How evenly a router uses its experts.</summary>
public sealed record LoadStatistics
{
    private LoadStatistics(IReadOnlyList<long> load, double droppedShare) => (Load, DroppedShare) = (load, droppedShare);

    /// <summary>Number of assignments of each expert, dropped ones included.</summary>
    public IReadOnlyList<long> Load { get; }

    /// <summary>The share of assignments that are not computed, from 0 to 1.</summary>
    public double DroppedShare { get; }

    /// <summary>Number of assignments.</summary>
    public long Assignments => Load.Sum();

    /// <summary>Each expert's share of the assignments; they sum to 1. All zero where there are none.</summary>
    public IReadOnlyList<double> Shares => [.. Load.Select(load => Assignments == 0 ? 0 : (double)load / Assignments)];

    /// <summary>The entropy −Σ p·ln p of the shares in nats: 0 where one expert has all, ln E where all have the same.</summary>
    public double Entropy => Shares.Where(share => share > 0).Sum(share => -share * Math.Log(share));

    /// <summary>The number of equally used experts that would have the same entropy: exp(entropy), from 1 to E.</summary>
    public double EffectiveExperts => Math.Exp(Entropy);

    /// <summary>The Gini coefficient of the loads, Σᵢⱼ |xᵢ − xⱼ| / (2·E²·mean): 0 where all are equal, 1 − 1/E where one expert has all.</summary>
    public double Gini
    {
        get
        {
            if (Assignments == 0) return 0;
            var weighted = Load.Order().Select((load, i) => (2.0 * i - Load.Count + 1) * load).Sum();
            return weighted / (Load.Count * (double)Assignments);
        }
    }

    /// <summary>MaxVio: (largest load − mean load) / mean load (Wang et al. 2024): 0 where all are equal, E − 1 where one expert has all.</summary>
    public double MaxViolation => Assignments == 0 ? 0 : Load.Max() * (double)Load.Count / Assignments - 1;

    /// <summary>Number of experts without an assignment.</summary>
    public int DeadExperts => Load.Count(load => load == 0);

    /// <summary>The statistics of one decision.</summary>
    /// <param name="routing">A routing decision.</param>
    /// <exception cref="ArgumentException">The decision's tensors do not fit together.</exception>
    public static LoadStatistics Of(RoutingDecision routing)
    {
        ArgumentNullException.ThrowIfNull(routing);
        routing.Validate();
        using var scope = NewDisposeScope();
        var load = routing.Load().cpu().data<long>().ToArray();
        var dropped = load.Sum() - routing.Kept.sum(ScalarType.Int64).cpu().item<long>();
        return Of(load, dropped);
    }

    /// <summary>The statistics of loads, of several decisions together for instance.</summary>
    /// <param name="load">Number of assignments of each expert.</param>
    /// <param name="dropped">How many of them are not computed.</param>
    /// <exception cref="ArgumentException">There are no experts, a load is negative, or more is dropped than assigned.</exception>
    public static LoadStatistics Of(IReadOnlyList<long> load, long dropped = 0)
    {
        ArgumentNullException.ThrowIfNull(load);
        if (load.Count == 0) throw new ArgumentException("load is empty; one number for each expert is needed.", nameof(load));
        if (load.Any(count => count < 0)) throw new ArgumentException($"load has the negative number {load.Min()}.", nameof(load));
        var total = load.Sum();
        if (dropped < 0 || dropped > total) throw new ArgumentException($"dropped is {dropped}; it must be from 0 to the {total} assignments.", nameof(dropped));
        return new([.. load], total == 0 ? 0 : (double)dropped / total);
    }
}
