namespace MoeWorkbook;

/// <summary>The normalisation of queries and keys before they meet.</summary>
public enum QueryKeyNorm
{
    /// <summary>None.</summary>
    None,

    /// <summary>RMSNorm over each head, with one weight vector of the head's size for all query heads and one for all key heads (Qwen3).</summary>
    PerHead,

    /// <summary>RMSNorm over the whole projected width, all heads together (OLMoE).</summary>
    FullWidth,

    /// <summary>Root-mean-square normalisation of each head without weights (Llama 4).</summary>
    WithoutWeights,
}
