namespace MoeWorkbook;

/// <summary>What a published number of active parameters may leave out. All three conventions are common.</summary>
public enum ActiveConvention
{
    /// <summary>Every parameter touched for one token, both embedding matrices included (Mixtral, OLMoE).</summary>
    AllIn,

    /// <summary>Without the input embedding, of which a token reads one row (gpt-oss).</summary>
    WithoutInputEmbedding,

    /// <summary>Without the input embedding and the head (GLM-4.5).</summary>
    WithoutEmbeddings,
}
