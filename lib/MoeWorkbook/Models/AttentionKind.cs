namespace MoeWorkbook;

/// <summary>How a decoder layer mixes information between positions.</summary>
public enum AttentionKind
{
    /// <summary>Grouped-query attention over all earlier positions (Ainslie et al. 2023); multi-head attention where every query head has its own key and value
    /// head.</summary>
    Full,

    /// <summary>Grouped-query attention over the last <see cref="AttentionConfig.SlidingWindow"/> positions (Child et al. 2019; Mistral 7B 2023).</summary>
    SlidingWindow,

    /// <summary>Multi-head latent attention: keys and values are projected up from one cached latent vector a token (DeepSeek-V2 2024).</summary>
    Latent,

    /// <summary>Gated DeltaNet: linear attention with a state of fixed size (Yang et al. 2024).</summary>
    Linear,

    /// <summary>Grouped-query attention over the earlier positions of the same chunk of <see cref="AttentionConfig.ChunkSize"/> positions (Llama 4
    /// 2025).</summary>
    Chunked,
}
