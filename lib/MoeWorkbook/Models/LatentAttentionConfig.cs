namespace MoeWorkbook;

/// <summary>The shape of multi-head latent attention (DeepSeek-V2 2024, section 2.1).</summary>
/// <param name="QueryRank">Size of the query's latent vector; null where queries are projected in one step.</param>
/// <param name="KeyValueRank">Size of the latent vector from which keys and values are projected up, and which is cached.</param>
/// <param name="NopeHeadSize">Size of the part of a query or key head without a rotary embedding.</param>
/// <param name="RotaryHeadSize">Size of the part with one; this part of the key is shared by all heads and cached.</param>
/// <param name="ValueHeadSize">Size of a value head.</param>
public sealed record LatentAttentionConfig(int? QueryRank, int KeyValueRank, int NopeHeadSize, int RotaryHeadSize, int ValueHeadSize)
{
    /// <summary>Size of a query or key head: both parts together.</summary>
    public int QueryHeadSize => checked(NopeHeadSize + RotaryHeadSize);
}
