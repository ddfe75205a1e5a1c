using System.Reflection;

namespace MoeWorkbook;

/// <summary>The published architectures of <c>data/models</c>, which the library carries inside it.</summary>
public static class ModelCatalog
{
    private const string ResourcePrefix = "models/";
    private static readonly Assembly _assembly = typeof(ModelCatalog).Assembly;

    /// <summary>The names to ask for, in alphabetical order.</summary>
    public static IReadOnlyList<string> Ids { get; } = [.. _assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal))
        .Select(name => name[ResourcePrefix.Length..^".json".Length])
        .Order(StringComparer.Ordinal)];

    private static readonly Lazy<IReadOnlyList<PublishedModel>> _all = new(() => [.. Ids.Select(Load)]);

    /// <summary>Every model, in the order of <see cref="Ids"/>.</summary>
    public static IReadOnlyList<PublishedModel> All => _all.Value;

    /// <summary>The model of a name; capitals do not matter.</summary>
    /// <param name="id">One of <see cref="Ids"/>, such as <c>mixtral-8x7b</c>, or a published name, such as <c>Mixtral-8x7B-v0.1</c>.</param>
    /// <exception cref="ModelConfigException">There is no such model; the message lists those with a similar name, or all.</exception>
    public static PublishedModel Find(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        var known = Ids.FirstOrDefault(k => k.Equals(id, StringComparison.OrdinalIgnoreCase));
        if (known is not null) return Load(known);
        if (All.FirstOrDefault(m => m.Name.Equals(id, StringComparison.OrdinalIgnoreCase) || m.Repository.Equals(id,
            StringComparison.OrdinalIgnoreCase)) is { } named)
            return named;
        string[] similar = [.. Ids.Where(k => Similar(k, id))];
        throw new ModelConfigException($"There is no model \"{id}\" in the catalog. "
            + (similar.Length > 0 ? $"Did you mean {string.Join(" or ", similar)}?" : $"Known are {string.Join(", ", Ids)}."));
    }

    private static PublishedModel Load(string id)
    {
        using var reader = new StreamReader(_assembly.GetManifestResourceStream($"{ResourcePrefix}{id}.json")!);
        var keys = ConfigKeys.Parse(reader.ReadToEnd(), $"data/models/{id}.json");
        var published = keys.Object("published");
        return new PublishedModel(id, Required(keys, "name"), Required(keys, "repository"),
            HuggingFaceConfig.Read(keys.Object("config") ?? throw keys.Missing("config")))
        {
            PublishedTotal = published?.Text("total"),
            PublishedActive = published?.Text("active"),
            PublishedActiveBillions = published?.OptionalNumber("active_billions"),
            ExactTotal = (long?)published?.OptionalNumber("exact_total"),
            Sources = keys.Texts("sources") ?? throw keys.Missing("sources"),
            Notes = keys.Texts("notes") ?? [],
        };
    }

    private static string Required(ConfigKeys keys, string key) => keys.Text(key) ?? throw keys.Missing(key);

    /// <summary>Whether two names share a beginning of four letters, or one holds the other.</summary>
    private static bool Similar(string known, string asked) => asked.Length > 0
        && (known.Contains(asked, StringComparison.OrdinalIgnoreCase)
            || asked.Contains(known, StringComparison.OrdinalIgnoreCase)
            || (asked.Length >= 4 && known.StartsWith(asked[..4], StringComparison.OrdinalIgnoreCase)));
}
