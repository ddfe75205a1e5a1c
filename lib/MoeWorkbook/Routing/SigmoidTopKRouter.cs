using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>DeepSeek-V3's router: s = σ(logits); the k experts of largest s + b are taken from the best groups, weighted by s alone (DeepSeek-AI 2024, section 2.1.2).</summary>
/// <remarks>The bias b only selects, and only <see cref="UpdateSelectionBias"/> moves it: balancing without a loss (Wang et al. 2024). GLM-4.5 and Kimi K2 route the same way.</remarks>
public sealed class SigmoidTopKRouter : LinearRouter
{
    private readonly bool _selectionBias;

    /// <summary>A router to k of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="normalizeWeights">Whether a token's weights are divided by their sum.</param>
    /// <param name="scale">A factor on the combine weights.</param>
    /// <param name="selectionBias">Whether there is a bias b, which starts at zero and no gradient reaches.</param>
    /// <param name="groupCount">Number of groups of experts; divides E.</param>
    /// <param name="groupsPerToken">Number of groups that a token's experts come from: those whose two best experts sum highest.</param>
    /// <param name="weights">Where and how the weights are made.</param>
    /// <exception cref="ArgumentException">A number is not positive, k is larger than the experts in the chosen groups, or the groups do not divide the experts.</exception>
    public SigmoidTopKRouter(int hiddenSize, int expertCount, int expertsPerToken, bool normalizeWeights = true, double scale = 1,
        bool selectionBias = true, int groupCount = 1, int groupsPerToken = 1, WeightFactory? weights = null)
        : base(nameof(SigmoidTopKRouter), hiddenSize, expertCount, bias: false, weights ??= new())
    {
        ExpertsPerToken = CheckedExpertsPerToken(expertsPerToken, expertCount);
        if (groupCount < 1 || expertCount % groupCount != 0)
            throw new ArgumentException($"groupCount ({groupCount}) must divide the number of experts ({expertCount}).", nameof(groupCount));
        if (groupsPerToken < 1 || groupsPerToken > groupCount)
            throw new ArgumentException($"groupsPerToken ({groupsPerToken}) must be from 1 to groupCount ({groupCount}).", nameof(groupsPerToken));
        if (expertsPerToken > expertCount / groupCount * groupsPerToken)
            throw new ArgumentException($"expertsPerToken ({expertsPerToken}) must not exceed the {expertCount / groupCount * groupsPerToken} experts in {groupsPerToken} of {groupCount} groups.", nameof(expertsPerToken));
        (NormalizeWeights, Scale, GroupCount, GroupsPerToken, _selectionBias) = (normalizeWeights, scale, groupCount, groupsPerToken, selectionBias);
        if (!selectionBias) return;
        var bias = weights.Constant(0, expertCount);
        bias.requires_grad = false;
        register_parameter("e_score_correction_bias", bias);
    }

    /// <summary>Number of experts k of each token.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>Whether a token's weights are divided by their sum.</summary>
    public bool NormalizeWeights { get; }

    /// <summary>A factor on the combine weights.</summary>
    public double Scale { get; }

    /// <summary>Number of groups of experts.</summary>
    public int GroupCount { get; }

    /// <summary>Number of groups that a token's experts come from.</summary>
    public int GroupsPerToken { get; }

    /// <summary>The selection bias b, <c>[experts]</c>; null where the router has none.</summary>
    public Tensor? SelectionBias => _selectionBias ? get_parameter("e_score_correction_bias") : null;

    /// <summary>Balances without a loss: each expert's bias moves by u towards the mean load, b ← b + u·sign(mean load − load) (Wang et al. 2024, algorithm 1). Call it after each training step.</summary>
    /// <param name="routing">The decision of the step.</param>
    /// <param name="rate">u.</param>
    /// <exception cref="InvalidOperationException">The router has no selection bias.</exception>
    /// <exception cref="ArgumentException">The decision is about another number of experts.</exception>
    public void UpdateSelectionBias(RoutingDecision routing, double rate = 0.001)
    {
        ArgumentNullException.ThrowIfNull(routing);
        routing.Validate();
        var bias = SelectionBias ?? throw new InvalidOperationException("The router has no selection bias.");
        Expect.Shape(routing.Logits, "routing.Logits", ("tokens", -1), ("experts", ExpertCount));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var load = routing.Load().to(bias.dtype);
        bias.add_((load.mean() - load).sign() * rate);
    }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var scores = logits.sigmoid(); // [tokens, experts]
        var selection = SelectionBias is { } bias ? scores + bias.Widened() : scores; // [tokens, experts]
        if (AbsentExpert is { } absent) selection = selection.index_fill(-1, tensor((long)absent, device: selection.device), double.NegativeInfinity);
        if (GroupsPerToken < GroupCount) selection = WithinBestGroups(selection);
        var experts = Largest(selection, ExpertsPerToken).Experts; // [tokens, k]
        var chosen = scores.gather(-1, experts); // [tokens, k]
        if (NormalizeWeights) chosen /= chosen.sum(-1, keepdim: true) + 1e-20;
        return RoutingDecision.TopK(input, logits, scores, experts, chosen * Scale);
    }

    /// <summary>The selection scores with −∞ outside a token's best groups.</summary>
    private Tensor WithinBestGroups(Tensor selection)
    {
        var grouped = selection.unflatten(1, GroupCount, -1); // [tokens, groups, experts of a group]
        var best = (int)Math.Min(2, grouped.shape[2]);
        var groupScores = Largest(grouped, best).Scores.sum(-1); // [tokens, groups]
        var groups = Largest(groupScores, GroupsPerToken).Experts; // [tokens, groups per token]
        var excluded = ones_like(groupScores, ScalarType.Bool).scatter(-1, groups, zeros_like(groups, ScalarType.Bool)); // [tokens, groups]
        return grouped.masked_fill(excluded.unsqueeze(-1), double.NegativeInfinity).flatten(-2, -1);
    }
}
