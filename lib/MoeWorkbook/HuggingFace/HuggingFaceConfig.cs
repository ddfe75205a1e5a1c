namespace MoeWorkbook;

/// <summary>Reads a Hugging Face <c>config.json</c>.</summary>
/// <remarks>Sizes that decide the parameters are required; options may be absent and then take the value that the model's own code takes.</remarks>
public static class HuggingFaceConfig
{
    /// <summary>The <c>model_type</c> values that can be read.</summary>
    public static IReadOnlyCollection<string> ModelTypes { get; } = [.. ModelFamilies.All.Select(family => family.ModelType)];

    /// <summary>Reads a <c>config.json</c>, or that of a directory.</summary>
    /// <param name="path">A file, or a directory that holds a <c>config.json</c>.</param>
    /// <exception cref="ModelConfigException">The file cannot be read or its content is wrong; the message names the key and what is allowed.</exception>
    public static ModelConfig Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Read(Keys(Directory.Exists(path) ? Path.Combine(path, "config.json") : path));
    }

    /// <summary>Reads the text of a <c>config.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What the messages call it.</param>
    /// <param name="forTraining">Whether a model is trained from it: then a key that says how to train, such as a dropout, and that nothing here follows is an
    /// error too.</param>
    /// <exception cref="ModelConfigException">The content is wrong; the message names the key and what is allowed.</exception>
    public static ModelConfig Parse(string json, string source = "config.json", bool forTraining = false)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Read(ConfigKeys.Parse(json, source), forTraining);
    }

    /// <summary>The keys of a JSON file.</summary>
    internal static ConfigKeys Keys(string file)
    {
        try
        {
            return ConfigKeys.Parse(File.ReadAllText(file), file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ModelConfigException($"{file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The keys of the model itself, in a file of a type that may wrap it.</summary>
    internal static ConfigKeys ModelKeys(ConfigKeys keys) =>
        keys.Text("model_type") is { } type && ModelFamilies.Find(type)?.TextType is not null ? keys.Unwrapped() : keys;

    internal static ModelConfig Read(ConfigKeys keys, bool forTraining = false)
    {
        var type = keys.Text("model_type") ?? throw keys.Missing("model_type");
        var family = ModelFamilies.Find(type) ?? throw keys.Error("model_type", $"is \"{type}\"; known are {string.Join(", ", ModelTypes)}");
        try
        {
            CheckArchitectures(keys, family);
            var model = ModelKeys(keys);
            if (model != keys) CheckText(keys.Object(ConfigKeys.TextConfig)!, family);
            var config = family.Read(model);
            config.Validate();
            CheckLayers(model, config);
            UnreadKeys.Check(model, forTraining);
            return config;
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new ModelConfigException($"{keys.Source}: {PlainMessage.Of(e)}", e);
        }
    }

    /// <summary>A file may name another model of the family's layers, such as a classifier or a draft model.</summary>
    private static void CheckArchitectures(ConfigKeys keys, ModelFamily family)
    {
        var named = keys.Texts("architectures") ?? [];
        if (named.FirstOrDefault(name => !family.Architectures.Contains(name)) is { } other)
            throw keys.Error("architectures", $"names \"{other}\"; of the type {family.ModelType} only {string.Join(" or ", family.Architectures)} can be read");
        // A file with no class at all is a classifier's where it says more than the two labels that every older file lists.
        if (named.Count == 0 && keys.OptionalSize("num_labels") is not (null or 2))
            throw keys.Error("num_labels", "makes the model a classifier; only causal language models can be read");
        if (named.Count == 0 && keys.Object("id2label") is { Entries: not (0 or 2) })
            throw keys.Error("id2label", "makes the model a classifier; only causal language models can be read");
    }

    private static void CheckText(ConfigKeys text, ModelFamily family)
    {
        if (text.Text("model_type") is { } inner && inner != family.TextType && inner != family.ModelType)
            throw text.Error("model_type", $"is \"{inner}\"; in a {family.ModelType} it must be {family.TextType}");
        CheckArchitectures(text, family);
    }

    /// <summary>Lists of the kind of each layer must say what the family's own keys say.</summary>
    private static void CheckLayers(ConfigKeys keys, ModelConfig config)
    {
        Check("layer_types", i => LayerKeys.NameOf(config.LayerAttention[i]));
        Check("mlp_layer_types", i => config.MoeLayers[i] ? "sparse" : "dense");

        void Check(string key, Func<int, string> kindOf)
        {
            if (keys.Texts(key) is not { } kinds) return;
            if (kinds.Count != config.LayerCount) throw keys.Error(key, $"has {kinds.Count} entries; it must have one for each of the {config.LayerCount} layers");
            for (var i = 0; i < kinds.Count; i++)
            {
                if (kinds[i] != kindOf(i)) throw keys.Error(key, $"has \"{kinds[i]}\" for layer {i}, which by the other keys has \"{kindOf(i)}\"");
            }
        }
    }
}
