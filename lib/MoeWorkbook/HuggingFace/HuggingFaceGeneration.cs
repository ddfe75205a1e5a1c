namespace MoeWorkbook;

/// <summary>How the makers of a checkpoint mean it to write: <c>generation_config.json</c>, and of <c>config.json</c> the tokens that end a text.</summary>
public static class HuggingFaceGeneration
{
    /// <summary>Reads a directory's options.</summary>
    /// <param name="directory">A directory with a <c>config.json</c>; a <c>generation_config.json</c> may be there.</param>
    /// <param name="maxNewTokens">The most tokens to add, at least 1.</param>
    /// <returns>The options. Without <c>"do_sample": true</c> the likeliest token is taken, whatever temperature is stated, as in transformers; <c>top_k</c> 0
    /// means all.
    /// The stop tokens are those of <c>generation_config.json</c>; where it names none, those of <c>config.json</c>.</returns>
    /// <exception cref="ModelConfigException">A file cannot be read or its content is wrong; the message names the key and what is allowed.</exception>
    public static GenerationOptions Read(string directory, int maxNewTokens)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var model = HuggingFaceConfig.ModelKeys(HuggingFaceConfig.Keys(Path.Combine(directory, "config.json")));
        var file = Path.Combine(directory, "generation_config.json");
        if (!File.Exists(file)) return new(maxNewTokens) { StopTokens = EndTokens(model) };

        var keys = HuggingFaceConfig.Keys(file);
        var temperature = keys.Number("temperature", 1);
        if (temperature < 0) throw keys.Error("temperature", $"is {temperature}; it must be at least 0");
        var topK = keys.Count("top_k", 0);
        var topP = keys.Number("top_p", 1);
        if (topP is not (> 0 and <= 1)) throw keys.Error("top_p", $"is {topP}; it must be above 0 and at most 1");
        return new(maxNewTokens)
        {
            Temperature = keys.Flag("do_sample", false) ? temperature : 0,
            TopK = topK == 0 ? null : topK,
            TopP = topP == 1 ? null : topP,
            StopTokens = keys.Has("eos_token_id") ? EndTokens(keys) : EndTokens(model),
        };
    }

    private static long[] EndTokens(ConfigKeys keys) => [.. keys.OneOrMoreIds("eos_token_id").Select(id => (long)id)];
}
