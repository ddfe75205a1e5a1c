using System.Text.Json.Serialization;

namespace MoeWorkbook;

/// <summary>What happened in one step of training.</summary>
public sealed record TrainingStep
{
    /// <summary>The number of the step, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>The mean cross-entropy of the batch in nats per token, without the balancing losses.</summary>
    public required double Loss { get; init; }

    /// <summary><see cref="MoeWorkbook.BalancingLoss.Switch"/>, averaged over the layers, before its weight: 1 at uniform load; 0 in a dense model.</summary>
    public double BalancingLoss { get; init; }

    /// <summary><see cref="MoeWorkbook.BalancingLoss.RouterZ"/>, averaged over the layers, before its weight.</summary>
    public double ZLoss { get; init; }

    /// <summary>The other losses that had a weight, by their names, before that weight; null without any.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double>? OtherLosses { get; init; }

    /// <summary>The norm of the gradient before it was shortened.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>The learning rate.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The assignments of each expert, dropped ones included: <c>[layer][expert]</c>, Mixture-of-Experts layers only.</summary>
    public IReadOnlyList<IReadOnlyList<long>> Load { get; init; } = [];

    /// <summary>The entropy of a token's scores over the experts, in nats, averaged over the batch; one number for each Mixture-of-Experts layer.</summary>
    public IReadOnlyList<double> RouterEntropy { get; init; } = [];

    /// <summary>The share of assignments that were dropped, over all layers.</summary>
    public double DroppedShare { get; init; }

    /// <summary>Number of tokens in the batch.</summary>
    public required int Tokens { get; init; }

    /// <summary>Seconds that the step took: the one number here that differs from run to run.</summary>
    public double Seconds { get; init; }

    /// <summary>Tokens a second.</summary>
    [JsonIgnore]
    public double TokensPerSecond => Tokens / Seconds;

    /// <summary>How evenly a Mixture-of-Experts layer's load was spread.</summary>
    /// <param name="layer">Which of the Mixture-of-Experts layers, from 0.</param>
    public LoadStatistics LoadOf(int layer) => LoadStatistics.Of(Load[layer]);
}
