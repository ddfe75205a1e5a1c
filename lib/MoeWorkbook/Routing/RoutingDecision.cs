using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Which expert computes which token, and with what weight: a flat list of assignments.</summary>
/// <remarks>Tokens are numbered through the batch: token t is position t mod sequence of sequence t / sequence. Every router gives one of these, and every
/// runner, loss, statistic and figure reads it.</remarks>
public sealed record RoutingDecision
{
    /// <summary>The token of each assignment, 64-bit integers <c>[assignments]</c>.</summary>
    public required Tensor Tokens { get; init; }

    /// <summary>The expert of each assignment, 64-bit integers <c>[assignments]</c>.</summary>
    public required Tensor Experts { get; init; }

    /// <summary>The combine weight of each assignment, <c>[assignments]</c>; the router's gradient flows through it.</summary>
    public required Tensor Weights { get; init; }

    /// <summary>Whether each assignment is computed, booleans <c>[assignments]</c>; a dropped one contributes nothing.</summary>
    public required Tensor Kept { get; init; }

    /// <summary>The router's logits without noise, <c>[tokens, experts]</c>.</summary>
    public required Tensor Logits { get; init; }

    /// <summary>What the router made of the logits, <c>[tokens, experts]</c>: usually the softmax over experts, with some routers a sigmoid.</summary>
    public required Tensor Scores { get; init; }

    /// <summary>Number of sequences.</summary>
    public required long Batch { get; init; }

    /// <summary>Number of positions in each sequence.</summary>
    public required long Sequence { get; init; }

    /// <summary>Number of experts k of every token, where it is the same for all; the assignments then lie token after token, best first. Null for routers that
    /// let experts choose.</summary>
    public int? ExpertsPerToken { get; init; }

    /// <summary>The logits with training-time noise, <c>[tokens, experts]</c>, where the router adds some.</summary>
    public Tensor? NoisyLogits { get; init; }

    /// <summary>The standard deviation of the noise on each logit, <c>[tokens, experts]</c>, where the router learns it.</summary>
    public Tensor? NoiseDeviation { get; init; }

    /// <summary>Number of tokens: batch · sequence.</summary>
    public long TokenCount => checked(Batch * Sequence);

    /// <summary>Number of experts.</summary>
    public long ExpertCount => Logits.shape[1];

    /// <summary>The experts of each token, best first, <c>[tokens, k]</c>: a view of <see cref="Experts"/>.</summary>
    /// <exception cref="InvalidOperationException">Tokens have different numbers of experts.</exception>
    public Tensor TopKExperts => Experts.view(TokenCount, PerToken);

    /// <summary>The combine weights of each token, <c>[tokens, k]</c>: a view of <see cref="Weights"/>.</summary>
    /// <exception cref="InvalidOperationException">Tokens have different numbers of experts.</exception>
    public Tensor TopKWeights => Weights.view(TokenCount, PerToken);

    /// <summary>The load of each expert: how many assignments it has, 64-bit integers <c>[experts]</c>.</summary>
    /// <param name="keptOnly">Whether to count only assignments that are computed.</param>
    public Tensor Load(bool keptOnly = false)
    {
        using var scope = NewDisposeScope();
        var counts = zeros(ExpertCount, dtype: ScalarType.Int64, device: Experts.device);
        var ones = keptOnly ? Kept.to(ScalarType.Int64) : ones_like(Experts);
        return counts.index_add(0, Experts, ones, 1).MoveToOuterDisposeScope();
    }

    /// <summary>The decision of a top-k router.</summary>
    /// <param name="input">What the router saw.</param>
    /// <param name="logits">The router's logits, <c>[tokens, experts]</c>.</param>
    /// <param name="scores">What it made of them, <c>[tokens, experts]</c>.</param>
    /// <param name="experts">The experts of each token, best first, <c>[tokens, k]</c>.</param>
    /// <param name="weights">Their combine weights, <c>[tokens, k]</c>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static RoutingDecision TopK(RouterInput input, Tensor logits, Tensor scores, Tensor experts, Tensor weights)
    {
        ArgumentNullException.ThrowIfNull(input);
        var (batch, sequence) = (input.Hidden.shape[0], input.Hidden.shape[1]);
        Expect.Shape(logits, nameof(logits), ("tokens", batch * sequence), ("experts", -1));
        Expect.SameShape(scores, nameof(scores), logits, nameof(logits));
        Expect.Shape(experts, nameof(experts), ("tokens", batch * sequence), ("k", -1));
        Expect.Integers(experts, nameof(experts));
        Expect.SameShape(weights, nameof(weights), experts, nameof(experts));
        using var scope = NewDisposeScope();
        var k = experts.shape[1];
        var tokens = arange(batch * sequence, ScalarType.Int64, experts.device).repeat_interleave(k); // [tokens · k]
        var decision = OfAll(input, logits, scores, tokens, experts.reshape(-1), weights.reshape(-1));
        return (decision with { ExpertsPerToken = (int)k }).MoveToOuterDisposeScope();
    }

    /// <summary>The decision of a router that gives tokens different numbers of experts. Nothing is dropped.</summary>
    /// <param name="input">What the router saw.</param>
    /// <param name="logits">The router's logits, <c>[tokens, experts]</c>.</param>
    /// <param name="scores">What it made of them, <c>[tokens, experts]</c>.</param>
    /// <param name="tokens">The token of each assignment, <c>[assignments]</c>.</param>
    /// <param name="experts">Its expert, <c>[assignments]</c>.</param>
    /// <param name="weights">Its combine weight, <c>[assignments]</c>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static RoutingDecision Flat(RouterInput input, Tensor logits, Tensor scores, Tensor tokens, Tensor experts, Tensor weights)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(tokens);
        using var scope = NewDisposeScope();
        var decision = OfAll(input, logits, scores, tokens.alias(), experts.alias(), weights.alias());
        decision.Validate();
        return decision.MoveToOuterDisposeScope();
    }

    /// <summary>A decision of which every assignment is kept.</summary>
    private static RoutingDecision OfAll(RouterInput input, Tensor logits, Tensor scores, Tensor tokens, Tensor experts, Tensor weights) => new()
    {
        Tokens = tokens,
        Experts = experts,
        Weights = weights,
        Kept = ones_like(tokens, ScalarType.Bool),
        Logits = logits.alias(),
        Scores = scores.alias(),
        Batch = input.Hidden.shape[0],
        Sequence = input.Hidden.shape[1],
    };

    /// <summary>Moves every tensor to the dispose scope around the current one.</summary>
    /// <returns>This decision.</returns>
    public RoutingDecision MoveToOuterDisposeScope()
    {
        foreach (var tensor in Tensors) tensor.MoveToOuterDisposeScope();
        return this;
    }

    /// <summary>Checks that the tensors have the shapes, types and device that the runners, losses and statistics rely on.</summary>
    /// <exception cref="ArgumentException">They do not; the message names the tensor and both shapes.</exception>
    public void Validate()
    {
        Expect.Shape(Logits, nameof(Logits), ("tokens", TokenCount), ("experts", -1));
        Expect.Floating(Logits, nameof(Logits));
        Expect.SameShape(Scores, nameof(Scores), Logits, nameof(Logits));
        Expect.Floating(Scores, nameof(Scores));
        Expect.Shape(Tokens, nameof(Tokens), ("assignments", ExpertsPerToken is { } k ? TokenCount * k : -1));
        Expect.Integers(Tokens, nameof(Tokens));
        var assignments = Tokens.shape[0];
        Expect.Shape(Experts, nameof(Experts), ("assignments", assignments));
        Expect.Integers(Experts, nameof(Experts));
        Expect.Shape(Weights, nameof(Weights), ("assignments", assignments));
        Expect.Floating(Weights, nameof(Weights));
        Expect.Shape(Kept, nameof(Kept), ("assignments", assignments));
        Expect.Booleans(Kept, nameof(Kept));
        if (NoisyLogits is not null) Expect.SameShape(NoisyLogits, nameof(NoisyLogits), Logits, nameof(Logits));
        if (NoiseDeviation is not null) Expect.SameShape(NoiseDeviation, nameof(NoiseDeviation), Logits, nameof(Logits));
        foreach (var tensor in Tensors) Expect.SameDevice(tensor, "A tensor of the decision", Logits, nameof(Logits));
    }

    /// <summary>Every tensor of the decision.</summary>
    internal IEnumerable<Tensor> Tensors =>
        new[] { Tokens, Experts, Weights, Kept, Logits, Scores, NoisyLogits, NoiseDeviation }.OfType<Tensor>();

    private int PerToken => ExpertsPerToken
        ?? throw new InvalidOperationException("This router gives tokens different numbers of experts, so there is no table [tokens, k]; read Tokens, Experts and Weights.");
}
