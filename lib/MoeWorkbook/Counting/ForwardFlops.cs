namespace MoeWorkbook;

/// <summary>Floating-point operations of one token's forward pass; a multiplication and an addition count as two.</summary>
/// <param name="MatrixProducts">Products with weights: twice the active weights, the embedding's look-up and the norms left out.</param>
/// <param name="Attention">Products between positions: scores and weighted values, or the update and reading of a linear-attention state.</param>
/// <remarks>Norms, softmax and activation functions are left out: they are well below one part in a hundred at the published sizes. As in Kaplan et al. 2020,
/// table 1, with the attention term exact.</remarks>
public readonly record struct ForwardFlops(long MatrixProducts, long Attention)
{
    /// <summary>Both together.</summary>
    public long Total => checked(MatrixProducts + Attention);

    /// <summary>The operations for one decoder token.</summary>
    /// <param name="config">A decoder. For an encoder-decoder use the parameters: its two stacks see different sequences.</param>
    /// <param name="contextLength">How many positions the token attends to, itself included; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="contextLength"/> is below 1.</exception>
    /// <exception cref="NotSupportedException"><paramref name="config"/> has an encoder.</exception>
    /// <exception cref="OverflowException">A number does not fit into 64 bits.</exception>
    public static ForwardFlops PerToken(ModelConfig config, int contextLength)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 1);
        if (config.Encoder is not null)
            throw new NotSupportedException("Operations per token are defined here for decoders; this model has an encoder too.");

        checked
        {
            var count = ParameterCount.Of(config);
            var active = count.ActiveByComponent;
            // A tied head is a product with the embedding matrix.
            var head = config.TiedEmbeddings ? active[ModelComponent.Embeddings] : active[ModelComponent.Head];
            var weights = head + active[ModelComponent.Attention] + active[ModelComponent.Router] + active[ModelComponent.RoutedExperts]
                + active[ModelComponent.SharedExperts] + active[ModelComponent.DenseFeedForward];
            return new(2 * weights, config.LayerAttention.Sum(kind => BetweenPositions(config, kind, contextLength)));
        }
    }

    private static long BetweenPositions(ModelConfig config, AttentionKind kind, long context)
    {
        checked
        {
            switch (kind)
            {
                case AttentionKind.Linear:
                    // For each element of the state: decay 1, reading the old value 2, writing the new one 2, the query 2.
                    var linear = config.LinearAttention!;
                    return 7L * linear.ValueHeads * linear.KeyHeadSize * linear.ValueHeadSize;
                case AttentionKind.Latent:
                    var latent = config.LatentAttention!;
                    return 2L * config.Attention.HeadCount * (latent.QueryHeadSize + latent.ValueHeadSize) * context;
                case AttentionKind.SlidingWindow:
                    return 4L * config.Attention.QueryWidth * Math.Min(context, config.Attention.SlidingWindow!.Value);
                case AttentionKind.Chunked: // at a chunk's end; right behind it, a token sees itself only
                    return 4L * config.Attention.QueryWidth * Math.Min(context, config.Attention.ChunkSize!.Value);
                default:
                    return 4L * config.Attention.QueryWidth * context;
            }
        }
    }
}
