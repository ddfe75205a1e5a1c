namespace MoeWorkbook;

/// <summary>What is done so that a router uses all its experts. The defaults do nothing.</summary>
/// <remarks>A shared expert and the number of experts are part of the architecture: see <see cref="MoeConfig"/>.</remarks>
public sealed record BalancingOptions
{
    /// <summary>The weight of <see cref="BalancingLoss.Switch"/>, averaged over the layers; 0.01 in Switch Transformers.</summary>
    public double AuxiliaryLossWeight { get; init; }

    /// <summary>The weight of <see cref="BalancingLoss.RouterZ"/>, averaged over the layers; 0.001 in ST-MoE.</summary>
    public double ZLossWeight { get; init; }

    /// <summary>By how much an expert's selection bias moves in a step, u (Wang et al. 2024); above 0 the router becomes <see cref="RouterKind.SigmoidTopK"/> with a selection bias.</summary>
    public double BiasUpdateRate { get; init; }

    /// <summary>The router that takes the place of the model's own, such as <see cref="RouterKind.NoisyTopK"/> or <see cref="RouterKind.ExpertChoice"/>; null to keep the model's.</summary>
    public RouterKind? Router { get; init; }

    /// <summary>The limit on each expert's assignments while training; null for none. In validation nothing is dropped.</summary>
    public ExpertCapacity? Capacity { get; init; }

    /// <summary>A factor on the routers' initial weights; 1 leaves them as other matrices are.</summary>
    public double RouterScale { get; init; } = 1;

    /// <summary>The architecture with the router that these options ask for; a dense one stays as it is.</summary>
    /// <param name="model">An architecture.</param>
    public ModelConfig ApplyTo(ModelConfig model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Moe is not { } moe) return model;
        if (BiasUpdateRate > 0) return model with { Moe = moe with { Router = RouterKind.SigmoidTopK, SelectionBias = true } };
        return Router is { } router ? model with { Moe = moe with { Router = router } } : model;
    }

    /// <summary>Checks that the numbers make sense.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it, its value and what is allowed.</exception>
    public void Validate()
    {
        NotNegative(AuxiliaryLossWeight, nameof(AuxiliaryLossWeight));
        NotNegative(ZLossWeight, nameof(ZLossWeight));
        NotNegative(BiasUpdateRate, nameof(BiasUpdateRate));
        NotNegative(RouterScale, nameof(RouterScale));
        if (BiasUpdateRate > 0 && Router is not (null or RouterKind.SigmoidTopK))
            throw new ArgumentException($"BiasUpdateRate is {BiasUpdateRate} but Router is {Router}; only {RouterKind.SigmoidTopK} has a selection bias.");
    }

    private static void NotNegative(double value, string name)
    {
        if (!(value >= 0 && double.IsFinite(value))) throw new ArgumentException($"{name} is {value}; it must be at least 0.");
    }
}
