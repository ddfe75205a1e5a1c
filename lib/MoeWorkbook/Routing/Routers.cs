namespace MoeWorkbook;

/// <summary>Makes the router of a layer. <see cref="Routers.FromConfig"/> is one; a model takes any other.</summary>
/// <param name="hiddenSize">Size of the hidden states.</param>
/// <param name="moe">The layer.</param>
/// <param name="init">How the parameters are made.</param>
public delegate Router RouterFactory(int hiddenSize, MoeConfig moe, ParameterInit init);

/// <summary>Which router a model's description means: the one place where a <see cref="RouterKind"/> becomes a router.</summary>
public static class Routers
{
    /// <summary>The router that a model's description asks for.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="moe">The layer.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">No router here does what it asks for.</exception>
    public static Router FromConfig(int hiddenSize, MoeConfig moe, ParameterInit init)
    {
        ArgumentNullException.ThrowIfNull(moe);
        var (experts, k) = (moe.ExpertCount, moe.ExpertsPerToken);
        var plain = moe is { RouterBias: false, SelectionBias: false, GroupCount: 1 };
        return moe.Router switch
        {
            RouterKind.SoftmaxTopK when moe.GroupCount == 1 => new SoftmaxTopKRouter(hiddenSize, experts, k, moe.RouterBias, moe.SelectionBias, init)
            {
                NormalizeWeights = moe.NormalizeWeights,
                RoutedScalingFactor = moe.RoutedScalingFactor,
            },
            RouterKind.SigmoidTopK when !moe.RouterBias =>
                new SigmoidTopKRouter(hiddenSize, experts, k, moe.SelectionBias, new(moe.GroupCount, moe.GroupsPerToken), init)
                {
                    NormalizeWeights = moe.NormalizeWeights,
                    RoutedScalingFactor = moe.RoutedScalingFactor,
                },
            RouterKind.Switch when moe is { SelectionBias: false, GroupCount: 1 } => new SwitchRouter(hiddenSize, experts, bias: moe.RouterBias, init: init),
            RouterKind.NoisyTopK when plain => new NoisyTopKRouter(hiddenSize, experts, k, init),
            RouterKind.ExpertChoice when plain => new ExpertChoiceRouter(hiddenSize, experts, k, init),
            RouterKind.ExpertThreshold when plain => new ExpertThresholdRouter(hiddenSize, experts, k, init),
            RouterKind.GShard when plain && k == 2 => new GShardRouter(hiddenSize, experts, init),
            RouterKind.Sinkhorn when plain => new SinkhornRouter(hiddenSize, experts, k, init: init),
            RouterKind.Hash when plain && k == 1 => new HashRouter(hiddenSize, experts),
            RouterKind.Uniform when plain => new UniformRouter(hiddenSize, experts, k),
            _ => throw new NotSupportedException(
                $"There is no router {moe.Router} with {k} experts per token, {moe.GroupCount} groups, selection bias {moe.SelectionBias}, bias {moe.RouterBias}."),
        };
    }
}
