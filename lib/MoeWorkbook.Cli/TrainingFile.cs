using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace MoeWorkbook.Cli;

/// <summary>What <c>train</c> reads: a model as in a Hugging Face <c>config.json</c>, a corpus, and options for training and balancing. An unknown key is an
/// error.</summary>
internal sealed record TrainingFile(ModelConfig Model, Corpus Corpus, TrainingOptions Training, BalancingOptions Balancing)
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Reads a file and makes its corpus.</summary>
    /// <exception cref="CommandException">The file cannot be read, or its content is wrong; the message names the key and what is allowed.</exception>
    /// <exception cref="ModelConfigException">The model's description is wrong.</exception>
    public static TrainingFile Read(string path)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(File.ReadAllText(path), documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new CommandException($"{path} must hold one JSON object.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CommandException($"{path} cannot be read: {PlainMessage.Of(e)}");
        }

        CheckKeys(root, ["model", "corpus", "training", "balancing"], path, "");
        var corpus = ReadCorpus(root["corpus"], path).WithEndOfText();
        var training = Part<TrainingOptions>(root, "training", path);
        if (root["model"] is not JsonObject model) throw new CommandException($"{path}: \"model\" is missing; it is an object as in a Hugging Face config.json.");
        model["vocab_size"] ??= corpus.VocabularySize;
        model["max_position_embeddings"] ??= training.SequenceLength; // it has never seen a longer text
        var config = HuggingFaceConfig.Parse(model.ToJsonString(), $"{path}, \"model\"", forTraining: true);
        var balancing = Part<BalancingOptions>(root, "balancing", path);
        return new(config, corpus, training, WithModelsLoss(balancing, config, root["balancing"] is JsonObject given && given.ContainsKey("auxiliary_loss_weight"), path));
    }

    /// <summary>The weight of the balancing loss may stand in the model, as <c>router_aux_loss_coef</c> or by the family's name for it, or in the
    /// options.</summary>
    private static BalancingOptions WithModelsLoss(BalancingOptions balancing, ModelConfig model, bool isStated, string path)
    {
        if (model.Moe?.AuxiliaryLossWeight is not { } weight) return balancing;
        if (isStated && balancing.AuxiliaryLossWeight != weight)
            throw new CommandException(FormattableString.Invariant($"{path}: \"balancing.auxiliary_loss_weight\" is {balancing.AuxiliaryLossWeight} but the model's own weight of that loss (router_aux_loss_coef) is {weight}; remove one, or make them agree."));
        return balancing with { AuxiliaryLossWeight = weight };
    }

    private static Corpus ReadCorpus(JsonNode? node, string path)
    {
        if (node is not JsonObject corpus) throw new CommandException($"{path}: \"corpus\" is missing; it is an object with the key \"synthetic\" or \"text\".");
        CheckKeys(corpus, ["synthetic", "text"], path, "corpus.");
        if (corpus.Count != 1) throw new CommandException($"{path}: \"corpus\" has {corpus.Count} keys; it needs one, \"synthetic\" or \"text\".");
        try
        {
            if (corpus.ContainsKey("synthetic")) return SyntheticCorpus.Generate(Part<SyntheticCorpusOptions>(corpus, "synthetic", path, "corpus."));
            var text = Part<TextFiles>(corpus, "text", path, "corpus.");
            var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return TextCorpus.Read(text.Files.Select(file => Path.Combine(folder, file)), text.ValidationShare, text.SegmentBytes);
        }
        catch (Exception e) when (e is ArgumentException or IOException)
        {
            throw new CommandException($"{path}: {PlainMessage.Of(e)}");
        }
    }

    private static T Part<T>(JsonObject parent, string key, string path, string prefix = "") where T : new()
    {
        if (parent[key] is not { } node) return new();
        if (node is not JsonObject json) throw new CommandException($"{path}: \"{prefix}{key}\" must be an object.");
        CheckKeys(json, [.. _json.GetTypeInfo(typeof(T)).Properties.Where(property => property.Set is not null).Select(property => property.Name)], path,
            $"{prefix}{key}.");
        try
        {
            return json.Deserialize<T>(_json)!;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new CommandException($"{path}: \"{prefix}{key}\" cannot be understood: {PlainMessage.Of(e)}");
        }
    }

    private static void CheckKeys(JsonObject json, string[] allowed, string path, string prefix)
    {
        if (json.FirstOrDefault(pair => !allowed.Contains(pair.Key)).Key is { } unknown)
            throw new CommandException($"{path}: the key \"{prefix}{unknown}\" is not known; allowed are {string.Join(", ", allowed)}.");
    }

    private sealed record TextFiles
    {
        public IReadOnlyList<string> Files { get; init; } = [];

        public double ValidationShare { get; init; } = 0.1;

        public int SegmentBytes { get; init; } = 200;
    }
}
