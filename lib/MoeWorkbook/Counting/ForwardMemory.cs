namespace MoeWorkbook;

/// <summary>Memory that a forward pass in float32 cannot do without.</summary>
public static class ForwardMemory
{
    private const int BytesPerNumber = 4;

    /// <summary>A lower bound on the bytes: the weights, the logits, and what the widest layer has at once of every position. Attention adds a bounded amount;
    /// see
    /// <c>ScaledDotProductAttention.AttendCausally</c>.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="positions">How many tokens are computed, those of all sequences together.</param>
    /// <param name="logitPositions">For how many of them logits are computed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    /// <exception cref="OverflowException">The bytes do not fit into 64 bits.</exception>
    public static long LeastBytes(ModelConfig config, long positions, long logitPositions)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegative(positions);
        ArgumentOutOfRangeException.ThrowIfNegative(logitPositions);
        checked
        {
            // Beside the layer's input and output: queries, keys and values, or the two halves of a gated block.
            var attention = config.LayerAttention.Any(kind => kind is AttentionKind.Full or AttentionKind.SlidingWindow)
                ? config.Attention.QueryWidth + 2L * config.Attention.KeyValueWidth : 0;
            var feedForward = config.MoeLayers.Contains(false) ? 2L * config.IntermediateSize : 0;
            var perPosition = 2L * config.HiddenSize + Math.Max(attention, feedForward);
            return BytesPerNumber * (ParameterCount.Of(config).TotalParameters + positions * perPosition + logitPositions * config.VocabularySize);
        }
    }
}
