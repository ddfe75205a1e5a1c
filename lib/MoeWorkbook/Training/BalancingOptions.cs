using System.Text.Json.Serialization;

namespace MoeWorkbook;

/// <summary>What is done so that a router uses all its experts. The defaults do nothing.</summary>
/// <remarks>A shared expert and the number of experts are part of the architecture: see <see cref="MoeConfig"/>.</remarks>
public sealed record BalancingOptions
{
    /// <summary>The weight of <see cref="BalancingLoss.Switch"/>, averaged over the layers; 0.01 in Switch Transformers.</summary>
    public double AuxiliaryLossWeight { get; init; }

    /// <summary>The weight of <see cref="BalancingLoss.RouterZ"/>, averaged over the layers; 0.001 in ST-MoE.</summary>
    public double ZLossWeight { get; init; }

    /// <summary>The weight of <see cref="BalancingLoss.GShard"/>, averaged over the layers.</summary>
    public double GShardLossWeight { get; init; }

    /// <summary>The weight of <see cref="BalancingLoss.SequenceWise"/>, averaged over the layers; 0.0001 in DeepSeek-V3.</summary>
    public double SequenceLossWeight { get; init; }

    /// <summary>The weight of <see cref="BalancingLoss.ShazeerImportance"/>, averaged over the layers; 0.1 in Shazeer et al. (2017).</summary>
    public double ImportanceLossWeight { get; init; }

    /// <summary>The weight of <see cref="BalancingLoss.ShazeerLoad"/>, averaged over the layers; 0.1 in Shazeer et al. (2017). It needs
    /// <see cref="RouterKind.NoisyTopK"/>.</summary>
    public double LoadLossWeight { get; init; }

    /// <summary>Further losses, such as one of your own.</summary>
    [JsonIgnore]
    public IReadOnlyList<AuxiliaryLoss> Losses { get; init; } = [];

    /// <summary>By how much an expert's selection bias moves in a step, u (Wang et al. 2024); above 0 the router gets a selection bias.</summary>
    public double BiasUpdateRate { get; init; }

    /// <summary>The kind of router that takes the place of the model's own; null to keep the model's.</summary>
    public RouterKind? Router { get; init; }

    /// <summary>Makes the routers, such as ones of your own, in place of what the model and <see cref="Router"/> say; null for those.</summary>
    [JsonIgnore]
    public RouterFactory? NewRouter { get; init; }

    /// <summary>The limit on each expert's assignments while training; null for none. In validation nothing is dropped.</summary>
    public ExpertCapacity? Capacity { get; init; }

    /// <summary>A factor on the routers' initial weights; 1 leaves them as other matrices are.</summary>
    public double RouterScale { get; init; } = 1;

    /// <summary>The Switch loss and the z-loss, which every history shows, and then all others with a weight.</summary>
    internal IEnumerable<AuxiliaryLoss> AllLosses =>
    [
        new("balancing loss", BalancingLoss.Switch, AuxiliaryLossWeight),
        new("z-loss", BalancingLoss.RouterZ, ZLossWeight),
        .. new AuxiliaryLoss[]
        {
            new("GShard loss", BalancingLoss.GShard, GShardLossWeight),
            new("sequence-wise loss", BalancingLoss.SequenceWise, SequenceLossWeight),
            new("importance loss", BalancingLoss.ShazeerImportance, ImportanceLossWeight),
            new("load loss", BalancingLoss.ShazeerLoad, LoadLossWeight),
        }.Concat(Losses).Where(loss => loss.Weight > 0),
    ];

    /// <summary>The architecture with the router that these options ask for; a dense one stays as it is.</summary>
    /// <param name="model">An architecture.</param>
    public ModelConfig ApplyTo(ModelConfig model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Moe is { } moe
            ? model with { Moe = moe with { Router = Router ?? moe.Router, SelectionBias = moe.SelectionBias || BiasUpdateRate > 0 } }
            : model;
    }

    /// <summary>Checks that the numbers make sense.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it, its value and what is allowed.</exception>
    public void Validate()
    {
        foreach (var (value, name) in new[]
        {
            (AuxiliaryLossWeight, nameof(AuxiliaryLossWeight)), (ZLossWeight, nameof(ZLossWeight)), (GShardLossWeight, nameof(GShardLossWeight)),
            (SequenceLossWeight, nameof(SequenceLossWeight)), (ImportanceLossWeight, nameof(ImportanceLossWeight)), (LoadLossWeight, nameof(LoadLossWeight)),
            (BiasUpdateRate, nameof(BiasUpdateRate)), (RouterScale, nameof(RouterScale)),
        }.Concat(Losses.Select(loss => (loss.Weight, $"The weight of {loss.Name}"))))
            if (!(value >= 0 && double.IsFinite(value))) throw new ArgumentException($"{name} is {value}; it must be at least 0.");
        if (BiasUpdateRate > 0 && Router is not (null or RouterKind.SigmoidTopK or RouterKind.SoftmaxTopK))
            throw new ArgumentException($"BiasUpdateRate is {BiasUpdateRate} but Router is {Router}; only {RouterKind.SigmoidTopK} and {RouterKind.SoftmaxTopK} have a selection bias.");
        if (LoadLossWeight > 0 && NewRouter is null && Router is not RouterKind.NoisyTopK)
            throw new ArgumentException($"LoadLossWeight is {LoadLossWeight} but Router is {Router?.ToString() ?? "the model's own"}; that loss needs the noise of {RouterKind.NoisyTopK}.");
    }
}
