using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>DeepSeek-V3's router: s = σ(logits); the k experts of largest s + b are taken from the best groups, weighted by s alone (DeepSeek-AI 2024, section
/// 2.1.2).</summary>
/// <remarks>The bias b only selects, and only <see cref="LinearRouter.UpdateSelectionBias"/> moves it: balancing without a loss (Wang et al. 2024). GLM-4.5 and
/// Kimi K2 route the same way.</remarks>
public sealed class SigmoidTopKRouter : LinearRouter
{
    private readonly ExpertGroups _groups;

    /// <summary>A router to k of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="selectionBias">Whether there is a bias b, <see cref="LinearRouter.SelectionBias"/>.</param>
    /// <param name="groups">The groups of experts; null for one.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentException">A number is not positive, k is larger than the experts in the chosen groups, or the groups do not divide the
    /// experts.</exception>
    public SigmoidTopKRouter(int hiddenSize, int expertCount, int expertsPerToken, bool selectionBias = true,
        ExpertGroups? groups = null, ParameterInit? init = null)
        : base(nameof(SigmoidTopKRouter), hiddenSize, expertCount, init, selectionBias: selectionBias)
    {
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);
        _groups = groups ?? new(1, 1);
        var (count, perToken) = _groups;
        if (count < 1 || expertCount % count != 0)
            throw new ArgumentException($"groups.Count ({count}) must divide the number of experts ({expertCount}).", nameof(groups));
        if (perToken < 1 || perToken > count)
            throw new ArgumentException($"groups.PerToken ({perToken}) must be from 1 to groups.Count ({count}).", nameof(groups));
        if (expertsPerToken > expertCount / count * perToken)
            throw new ArgumentException($"expertsPerToken ({expertsPerToken}) must not exceed the {expertCount / count * perToken} experts in {perToken} of {count} groups.", nameof(expertsPerToken));
    }

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>Whether a token's weights are divided by their sum; true unless set.</summary>
    public bool NormalizeWeights { get; init; } = true;

    /// <summary>A factor on the combine weights; 1 unless set.</summary>
    public double RoutedScalingFactor { get; init; } = 1;

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var scores = logits.sigmoid(); // [tokens, experts]
        var selection = Selection(scores); // [tokens, experts]
        if (_groups.PerToken < _groups.Count) selection = WithinBestGroups(selection);
        var experts = TopK(selection, ExpertsPerToken).Experts; // [tokens, k]
        var weights = scores.gather(-1, experts); // [tokens, k]
        if (NormalizeWeights) weights /= weights.sum(-1, keepdim: true) + 1e-20;
        return RoutingDecision.TopK(input, logits, scores, experts, weights * RoutedScalingFactor);
    }

    /// <summary>The selection scores with −∞ outside a token's best groups.</summary>
    private Tensor WithinBestGroups(Tensor selection)
    {
        var grouped = selection.unflatten(1, _groups.Count, -1); // [tokens, groups, experts of a group]
        var best = (int)Math.Min(2, grouped.shape[2]);
        var groupScores = TopK(grouped, best).Scores.sum(-1); // [tokens, groups]
        var groups = TopK(groupScores, _groups.PerToken).Experts; // [tokens, groups per token]
        var excluded = ones_like(groupScores, ScalarType.Bool).scatter(-1, groups, zeros_like(groups, ScalarType.Bool)); // [tokens, groups]
        return grouped.masked_fill(excluded.unsqueeze(-1), double.NegativeInfinity).flatten(-2, -1);
    }
}
