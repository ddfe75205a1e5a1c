namespace MoeWorkbook;

/// <summary>Reads a Hugging Face <c>config.json</c>.</summary>
/// <remarks>Sizes that decide the parameters are required; options may be absent and then take the value that the model's own code takes.</remarks>
public static class HuggingFaceConfig
{
    private static readonly SortedDictionary<string, Func<ConfigKeys, ModelConfig>> Families = new(StringComparer.Ordinal)
    {
        ["llama"] = HuggingFaceFamilies.Llama,
        ["mistral"] = HuggingFaceFamilies.Mistral,
        ["mixtral"] = HuggingFaceFamilies.Mixtral,
        ["qwen2_moe"] = HuggingFaceFamilies.Qwen2Moe,
        ["qwen3"] = HuggingFaceFamilies.Qwen3,
        ["qwen3_moe"] = HuggingFaceFamilies.Qwen3Moe,
        ["qwen3_next"] = HuggingFaceFamilies.Qwen3Next,
        ["qwen3_5_moe"] = HuggingFaceFamilies.Qwen35Moe,
        ["qwen3_5_moe_text"] = HuggingFaceFamilies.Qwen35Moe,
        ["deepseek"] = HuggingFaceFamilies.DeepSeek,
        ["deepseek_v3"] = HuggingFaceFamilies.DeepSeekV3,
        ["kimi_k2"] = HuggingFaceFamilies.DeepSeekV3,
        ["olmoe"] = HuggingFaceFamilies.Olmoe,
        ["gpt_oss"] = HuggingFaceFamilies.GptOss,
        ["glm4_moe"] = HuggingFaceFamilies.Glm4Moe,
        ["dbrx"] = HuggingFaceFamilies.Dbrx,
        ["phimoe"] = HuggingFaceFamilies.PhiMoe,
        ["grok-1"] = HuggingFaceFamilies.Grok1,
        ["llama4"] = HuggingFaceFamilies.Llama4,
        ["llama4_text"] = HuggingFaceFamilies.Llama4,
        ["switch_transformers"] = HuggingFaceFamilies.SwitchTransformers,
    };

    /// <summary>The <c>model_type</c> values that can be read.</summary>
    public static IReadOnlyCollection<string> ModelTypes => Families.Keys;

    /// <summary>Reads a <c>config.json</c>, or that of a directory.</summary>
    /// <param name="path">A file, or a directory that holds a <c>config.json</c>.</param>
    /// <exception cref="ModelConfigException">The file cannot be read or its content is wrong; the message names the key and what is allowed.</exception>
    public static ModelConfig Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ModelConfigException($"{file} cannot be read: {e.Message}", e);
        }

        return Parse(text, file);
    }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What the messages call it.</param>
    /// <exception cref="ModelConfigException">The content is wrong; the message names the key and what is allowed.</exception>
    public static ModelConfig Parse(string json, string source = "config.json")
    {
        ArgumentNullException.ThrowIfNull(json);
        return Read(ConfigKeys.Parse(json, source));
    }

    internal static ModelConfig Read(ConfigKeys keys)
    {
        string type = keys.Text("model_type") ?? throw keys.Missing("model_type");
        if (!Families.TryGetValue(type, out var family))
            throw keys.Error("model_type", $"is \"{type}\"; known are {string.Join(", ", Families.Keys)}");
        try
        {
            var config = family(keys);
            config.Validate();
            return config;
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new ModelConfigException($"{keys.Source}: {e.Message}", e);
        }
    }
}
