using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Writes a Hugging Face <c>config.json</c>, with the keys that the engines of each family read.</summary>
/// <remarks>The counterpart of <see cref="HuggingFaceConfig"/>: what is written here reads back as the same <see cref="ModelConfig"/>.</remarks>
public static class HuggingFaceConfigWriter
{
    /// <summary>The <c>model_type</c> values that can be written.</summary>
    public static IReadOnlyCollection<string> ModelTypes { get; } =
        [.. ModelFamilies.All.Where(family => family.Write is not null).Select(family => family.ModelType)];

    /// <summary>The <c>config.json</c> of a model.</summary>
    /// <param name="config">The model.</param>
    /// <param name="dtype">The type of its weights, for <c>torch_dtype</c>.</param>
    /// <param name="endOfText">The id of the token that stands between texts, which so begins and ends each; null for none.</param>
    /// <returns>The text of the file.</returns>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The family has no writer, or the family's file cannot express the description: the message names what would be
    /// lost.</exception>
    public static string ToJson(ModelConfig config, ScalarType dtype = ScalarType.Float32, int? endOfText = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (ModelFamilies.Find(config.ModelType) is not { Write: { } write } family)
            throw new NotSupportedException($"A config.json for \"{config.ModelType}\" cannot be written; known are {string.Join(", ", ModelTypes)}.");
        if (config.Rotary?.Scaling?.Kind == "longrope")
            throw new NotSupportedException("A config.json with the rotary scaling \"longrope\" cannot be written: its factors for each dimension are not part of ModelConfig.");
        var json = DecoderKeys.Write(family.Architectures[0], config, dtype, endOfText);
        write(json, config);
        var text = json.ToJsonString(JsonText.Indented) + "\n";
        CheckNothingIsLost(config, text);
        return text;
    }

    /// <summary>Reads the text back: a family's file can say less than <see cref="ModelConfig"/>.</summary>
    private static void CheckNothingIsLost(ModelConfig config, string text)
    {
        ModelConfig read;
        try
        {
            read = HuggingFaceConfig.Parse(text, "the written config.json");
        }
        catch (ModelConfigException e)
        {
            throw new NotSupportedException($"A {config.ModelType} model cannot be described so: {e.Message}", e);
        }

        JsonObject wanted = Properties(config), got = Properties(read);
        foreach (var (name, value) in wanted)
        {
            if (!JsonNode.DeepEquals(value, got[name]))
                throw new NotSupportedException($"The config.json of a {config.ModelType} model cannot express {name} = {value?.ToJsonString() ?? "null"}; it would read back as {got[name]?.ToJsonString() ?? "null"}.");
        }

        // The size of dense blocks means nothing where there are none.
        static JsonObject Properties(ModelConfig config) =>
            JsonSerializer.SerializeToNode(config.MoeLayers.Contains(false) ? config : config with { IntermediateSize = 0 })!.AsObject();
    }
}
