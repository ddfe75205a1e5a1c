namespace MoeWorkbook;

/// <summary>The keys of grouped-query attention.</summary>
internal static class AttentionKeys
{
    /// <summary>Heads and their size.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="queryKeyValueBias">Whether the query, key and value projections have a bias.</param>
    /// <param name="outputBias">Whether the output projection has one.</param>
    /// <param name="headSize">The size of a head where the file does not say; null for hidden size / heads.</param>
    /// <param name="grouped">Whether <c>num_key_value_heads</c> must be there; otherwise each query head has its own where it is not.</param>
    public static AttentionConfig Read(ConfigKeys keys, bool queryKeyValueBias = false, bool outputBias = false, int? headSize = null, bool grouped = true)
    {
        int hidden = keys.Size("hidden_size"), heads = keys.Size("num_attention_heads");
        var keyValueHeads = grouped ? keys.Size("num_key_value_heads") : keys.OptionalSize("num_key_value_heads") ?? heads;
        CheckHeads(keys, "num_key_value_heads", keyValueHeads, "num_attention_heads", heads);
        var size = keys.OptionalSize("head_dim") ?? headSize ?? HeadSize(keys, "hidden_size", hidden, "num_attention_heads", heads);
        return new(heads, keyValueHeads, size) { QueryKeyValueBias = queryKeyValueBias, OutputBias = outputBias };
    }

    /// <summary>The size of a head where the file gives none: hidden size / heads.</summary>
    public static int HeadSize(ConfigKeys keys, string hiddenKey, int hidden, string headsKey, int heads) => hidden % heads == 0
        ? hidden / heads
        : throw keys.Error(hiddenKey, $"is {hidden}; without a head size of its own it must be a multiple of \"{keys.Name(headsKey)}\" ({heads})");

    /// <summary>Query heads must be divisible among the key and value heads.</summary>
    public static void CheckHeads(ConfigKeys keys, string keyValueKey, int keyValueHeads, string headsKey, int heads)
    {
        if (heads % keyValueHeads != 0)
            throw keys.Error(keyValueKey, $"is {keyValueHeads}; it must divide \"{headsKey}\" ({heads})");
    }
}
