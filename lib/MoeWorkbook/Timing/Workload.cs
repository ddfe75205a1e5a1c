namespace MoeWorkbook;

/// <summary>What a computation must move and compute: enough to predict its time.</summary>
/// <param name="Bytes">Bytes of weights (and cache) that are read from memory. Activations of small batches stay in the processor's caches and are left
/// out.</param>
/// <param name="Flops">Floating-point operations; a multiplication and an addition are two.</param>
/// <param name="Calls">Calls into libtorch, each with an overhead of its own.</param>
public readonly record struct Workload(double Bytes, double Flops, int Calls = 0)
{
    private const int CallsOfFeedForward = 5; // two or three products, activation, product of gate and value
    private const int CallsOfDispatch = 20; // sorting, gathering and scattering of assignments
    private const int CallsOfRouter = 8;
    private const int CallsOfAttention = 45;
    private const int CallsOfNorm = 8;

    /// <summary>One after the other.</summary>
    public static Workload operator +(Workload first, Workload second) => Add(first, second);

    /// <summary>One after the other.</summary>
    /// <param name="first">What is done first.</param>
    /// <param name="second">What is done then.</param>
    public static Workload Add(Workload first, Workload second) => new(first.Bytes + second.Bytes, first.Flops + second.Flops, first.Calls + second.Calls);

    /// <summary>A product of tokens with a matrix of weights.</summary>
    /// <param name="weights">Number of weights.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="type">The format of the weights.</param>
    public static Workload Product(long weights, long tokens, WeightType type) => new(WeightBytes.Of(weights, type), 2.0 * weights * tokens, 1);

    /// <summary>A dense gated feed-forward block: three matrices of hidden × intermediate, read once whatever the number of tokens.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="intermediateSize">Inner size.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="type">The format of the weights.</param>
    public static Workload FeedForward(int hiddenSize, int intermediateSize, long tokens, WeightType type) =>
        Product(3L * hiddenSize * intermediateSize, tokens, type) with { Calls = CallsOfFeedForward };

    /// <summary>A Mixture-of-Experts layer: of the experts those are read that some token visits, and each token is computed by k of them.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="shape">Number and size of the experts.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="type">The format of the weights.</param>
    /// <param name="touched">Number of distinct experts that the tokens visit; null for the expectation under uniform routing
    /// (<see cref="ExpertsTouched"/>).</param>
    public static Workload Moe(int hiddenSize, MoeConfig shape, long tokens, WeightType type, double? touched = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var distinct = touched ?? ExpertsTouched.Expected(shape.ExpertCount, shape.ExpertsPerToken, tokens);
        double expert = 3.0 * hiddenSize * shape.IntermediateSize, bytesPerWeight = WeightBytes.BitsPerWeight(type) / 8.0;
        var experts = new Workload(distinct * expert * bytesPerWeight, 2 * expert * shape.ExpertsPerToken * tokens,
            CallsOfDispatch + (int)Math.Round(distinct * CallsOfFeedForward));
        return shape.SharedIntermediateSize == 0 ? experts : experts + FeedForward(hiddenSize, shape.SharedIntermediateSize, tokens, type);
    }

    /// <summary>A whole decoder, part after part: each layer's attention and feed-forward, and the head for the last position.</summary>
    /// <param name="config">The model, with grouped-query attention in every layer.</param>
    /// <param name="batch">Number of sequences.</param>
    /// <param name="newTokens">New positions of each: 1 in decode, the prompt's length in prefill.</param>
    /// <param name="cachedTokens">Positions of each that are in the cache already.</param>
    /// <param name="type">The format of the weights; the cache is taken to have 16 bits, or 32 beside float32 weights.</param>
    /// <exception cref="NotSupportedException">A layer has another kind of attention.</exception>
    public static IReadOnlyList<Workload> Model(ModelConfig config, int batch, int newTokens, int cachedTokens, WeightType type)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (config.LayerAttention.Any(kind => kind is not (AttentionKind.Full or AttentionKind.SlidingWindow)))
            throw new NotSupportedException("The prediction knows grouped-query attention only.");
        var tokens = (long)batch * newTokens;
        var cacheBytes = type == WeightType.Float32 ? 4 : 2;
        var attention = config.Attention;
        var projections = (long)config.HiddenSize * (2L * attention.QueryWidth + 2L * attention.KeyValueWidth);

        var parts = new List<Workload>();
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            // A new position sees the cache, itself, and on average half of the other new ones.
            var seen = cachedTokens + (newTokens + 1) / 2.0;
            parts.Add(Product(projections, tokens, type) with { Calls = CallsOfAttention + 2 * CallsOfNorm });
            parts.Add(new(2.0 * batch * (cachedTokens + newTokens) * attention.KeyValueWidth * cacheBytes, 4.0 * tokens * attention.QueryWidth * seen));
            parts.Add(config.MoeLayers[layer]
                ? Product((long)config.HiddenSize * config.Moe!.ExpertCount, tokens, type) with { Calls = CallsOfRouter }
                : FeedForward(config.HiddenSize, config.IntermediateSize, tokens, type));
            if (config.MoeLayers[layer]) parts.Add(Moe(config.HiddenSize, config.Moe!, tokens, type));
        }

        parts.Add(Product((long)config.VocabularySize * config.HiddenSize, batch, type) with { Calls = CallsOfNorm + 3 });
        return parts;
    }
}
