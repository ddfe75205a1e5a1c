namespace MoeWorkbook;

/// <summary>The shape of a Mixture-of-Experts feed-forward layer.</summary>
/// <param name="ExpertCount">Number of routed experts E.</param>
/// <param name="ExpertsPerToken">Number of routed experts k that each token visits; at most <paramref name="ExpertCount"/>.</param>
/// <param name="IntermediateSize">Intermediate size of one routed expert.</param>
public sealed record MoeConfig(int ExpertCount, int ExpertsPerToken, int IntermediateSize)
{
    /// <summary>Intermediate size of all shared experts together, which every token visits; 0 for none.</summary>
    public int SharedIntermediateSize { get; init; }

    /// <summary>Whether the shared expert's output is multiplied by a sigmoid gate (Qwen2-MoE).</summary>
    public bool SharedExpertGate { get; init; }

    /// <summary>How logits become experts and weights.</summary>
    public RouterKind Router { get; init; }

    /// <summary>Whether the k combine weights are divided by their sum.</summary>
    public bool NormalizeWeights { get; init; }

    /// <summary>A factor on the combine weights (DeepSeek-V3).</summary>
    public double RoutedScalingFactor { get; init; } = 1;

    /// <summary>Number of groups that the experts are divided into; 1 for no grouping.</summary>
    public int GroupCount { get; init; } = 1;

    /// <summary>Number of groups from which a token's experts are taken.</summary>
    public int GroupsPerToken { get; init; } = 1;

    /// <summary>Whether each expert has a bias that counts in the selection only (DeepSeek-V3's loss-free balancing).</summary>
    public bool SelectionBias { get; init; }

    /// <summary>Whether the router's projection has a bias (gpt-oss).</summary>
    public bool RouterBias { get; init; }

    /// <summary>Whether each expert's projections have biases (gpt-oss).</summary>
    public bool ExpertBias { get; init; }

    /// <summary>The weight of the load-balancing loss in training, where the file gives one.</summary>
    public double? AuxiliaryLossWeight { get; init; }
}
