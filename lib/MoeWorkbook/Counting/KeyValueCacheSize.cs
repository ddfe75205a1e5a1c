namespace MoeWorkbook;

/// <summary>Bytes of the key-value cache of one sequence.</summary>
public static class KeyValueCacheSize
{
    /// <summary>Bytes that one more token adds where no sliding window or chunk is full yet: the usual published figure.</summary>
    /// <param name="config">The architecture. For an encoder-decoder this is the decoder's own attention.</param>
    /// <param name="bytesPerElement">Bytes of one cached number: 2 for 16-bit types.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bytesPerElement"/> is below 1.</exception>
    /// <exception cref="OverflowException">The bytes do not fit into 64 bits.</exception>
    public static long BytesPerToken(ModelConfig config, int bytesPerElement = 2)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerElement, 1);
        return checked(config.LayerAttention.Sum(kind => ElementsPerToken(config, kind)) * bytesPerElement);
    }

    /// <summary>Bytes of the whole cache at a context length: sliding windows and chunks hold no more than their width, and linear attention holds a state of
    /// fixed size (kept in 32 bits) and the last inputs of its convolution.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="contextLength">How many positions are cached; not negative.</param>
    /// <param name="bytesPerElement">Bytes of one cached number: 2 for 16-bit types.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    /// <exception cref="OverflowException">The bytes do not fit into 64 bits.</exception>
    public static long Bytes(ModelConfig config, long contextLength, int bytesPerElement = 2)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegative(contextLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesPerElement, 1);
        return config.LayerAttention.Aggregate(0L, (sum, kind) => checked(sum + LayerBytes(config, kind, contextLength, bytesPerElement)));
    }

    private static long LayerBytes(ModelConfig config, AttentionKind kind, long contextLength, int bytesPerElement)
    {
        checked
        {
            if (kind == AttentionKind.Linear)
            {
                var linear = config.LinearAttention!;
                var state = 4L * linear.ValueHeads * linear.KeyHeadSize * linear.ValueHeadSize;
                return state + (long)linear.ConvolutionWidth * (linear.ConvolutionKernel - 1) * bytesPerElement;
            }

            var positions = Math.Min(contextLength, kind switch
            {
                AttentionKind.SlidingWindow => config.Attention.SlidingWindow!.Value,
                AttentionKind.Chunked => config.Attention.ChunkSize!.Value,
                _ => contextLength,
            });
            return positions * ElementsPerToken(config, kind) * bytesPerElement;
        }
    }

    private static long ElementsPerToken(ModelConfig config, AttentionKind kind) => kind switch
    {
        AttentionKind.Linear => 0,
        AttentionKind.Latent => checked((long)config.LatentAttention!.KeyValueRank + config.LatentAttention.RotaryHeadSize),
        _ => 2L * config.Attention.KeyValueWidth,
    };
}
