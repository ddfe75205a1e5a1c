namespace MoeWorkbook;

/// <summary>The shape of grouped-query attention: <paramref name="HeadCount"/> query heads share <paramref name="KeyValueHeadCount"/> key and value heads, each
/// of size <paramref name="HeadSize"/>.</summary>
/// <param name="HeadCount">Number of query heads.</param>
/// <param name="KeyValueHeadCount">Number of key heads, and of value heads; divides <paramref name="HeadCount"/>.</param>
/// <param name="HeadSize">Size of one head. It need not be hidden size / heads (Qwen3 and gpt-oss differ).</param>
public sealed record AttentionConfig(int HeadCount, int KeyValueHeadCount, int HeadSize)
{
    /// <summary>Whether the query, key and value projections have a bias.</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Whether the output projection has a bias.</summary>
    public bool OutputBias { get; init; }

    /// <summary>How queries and keys are normalised.</summary>
    public QueryKeyNorm QueryKeyNorm { get; init; }

    /// <summary>Whether each head has a learned logit that takes part in the softmax and receives no value (gpt-oss).</summary>
    public bool Sinks { get; init; }

    /// <summary>Whether the query projection also yields a sigmoid gate on the output, which doubles its width (Qwen3-Next).</summary>
    public bool OutputGate { get; init; }

    /// <summary>How many of the last positions a sliding-window layer sees, itself included; null where no layer has a window.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>How many positions a chunk has, in the layers that attend within chunks; null where none does.</summary>
    public int? ChunkSize { get; init; }

    /// <summary>The bound to which queries, keys and values are clipped (DBRX, OLMo); null for none.</summary>
    public double? Clip { get; init; }

    /// <summary>Width of all query heads together: heads × head size.</summary>
    public int QueryWidth => checked(HeadCount * HeadSize);

    /// <summary>Width of all key heads together, and of all value heads: key-value heads × head size.</summary>
    public int KeyValueWidth => checked(KeyValueHeadCount * HeadSize);
}
