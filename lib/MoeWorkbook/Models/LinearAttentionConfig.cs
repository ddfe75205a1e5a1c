namespace MoeWorkbook;

/// <summary>The shape of a Gated DeltaNet layer (Yang et al. 2024) as in Qwen3-Next.</summary>
/// <param name="KeyHeads">Number of query heads and of key heads; divides <paramref name="ValueHeads"/>.</param>
/// <param name="ValueHeads">Number of value heads, each with a state of key head size × value head size.</param>
/// <param name="KeyHeadSize">Size of a query or key head.</param>
/// <param name="ValueHeadSize">Size of a value head.</param>
/// <param name="ConvolutionKernel">Length of the causal depthwise convolution over queries, keys and values.</param>
public sealed record LinearAttentionConfig(int KeyHeads, int ValueHeads, int KeyHeadSize, int ValueHeadSize, int ConvolutionKernel)
{
    /// <summary>Width of all key heads together, and of all query heads.</summary>
    public int KeyWidth => checked(KeyHeads * KeyHeadSize);

    /// <summary>Width of all value heads together.</summary>
    public int ValueWidth => checked(ValueHeads * ValueHeadSize);

    /// <summary>Number of channels that the convolution runs over: queries, keys and values.</summary>
    public int ConvolutionWidth => checked(2 * KeyWidth + ValueWidth);
}
