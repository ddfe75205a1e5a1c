namespace MoeWorkbook;

/// <summary>How a model does on fixed batches of the validation text, without noise and without dropping.</summary>
public sealed record ValidationResult
{
    /// <summary>After how many training steps.</summary>
    public required int Step { get; init; }

    /// <summary>The mean cross-entropy in nats per token.</summary>
    public required double Loss { get; init; }

    /// <summary>The mean cross-entropy of each domain's tokens; null for a domain that the batches have no token of.</summary>
    public required IReadOnlyList<double?> DomainLosses { get; init; }

    /// <summary>Number of tokens.</summary>
    public required int Tokens { get; init; }

    /// <summary>The assignments of each domain's tokens to each expert: <c>[layer][domain][expert]</c>, Mixture-of-Experts layers only.</summary>
    public IReadOnlyList<IReadOnlyList<IReadOnlyList<long>>> DomainLoad { get; init; } = [];

    /// <summary>How evenly a Mixture-of-Experts layer's load is spread over all domains.</summary>
    /// <param name="layer">Which of the Mixture-of-Experts layers, from 0.</param>
    public LoadStatistics LoadOf(int layer) =>
        LoadStatistics.Of([.. Enumerable.Range(0, DomainLoad[layer][0].Count).Select(expert => DomainLoad[layer].Sum(domain => domain[expert]))]);

    /// <summary>The load of the layer that spreads it least evenly: the one with the largest <see cref="LoadStatistics.MaxViolation"/>.</summary>
    /// <exception cref="InvalidOperationException">No load was kept, or the model has no Mixture-of-Experts layer.</exception>
    public LoadStatistics WorstLoad() => Enumerable.Range(0, DomainLoad.Count).Select(LoadOf).MaxBy(load => load.MaxViolation)
        ?? throw new InvalidOperationException("There is no load: the model has no Mixture-of-Experts layer, or this is not the last validation of a kept run.");
}
