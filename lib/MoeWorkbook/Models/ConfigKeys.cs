using System.Text.Json;

namespace MoeWorkbook;

/// <summary>The keys of one JSON object of a model description. Every failure names the source, the key, and what is allowed.</summary>
internal sealed class ConfigKeys(JsonElement json, string source, string path = "")
{
    /// <summary>Parses <paramref name="json"/>, which must be an object in which no key appears twice.</summary>
    public static ConfigKeys Parse(string json, string source)
    {
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            root = document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new ModelConfigException($"{source} is not valid JSON: {e.Message}", e);
        }

        if (root.ValueKind != JsonValueKind.Object)
            throw new ModelConfigException($"{source} must hold one JSON object; it holds a JSON {Kind(root)}.");
        return new ConfigKeys(root, source);
    }

    /// <summary>Where the keys come from, for messages.</summary>
    public string Source => source;

    /// <summary>Whether a key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether a key is there, be it null: some families give an absent option another meaning than null.</summary>
    public bool States(string key) => json.TryGetProperty(key, out _);

    /// <summary>The first of <paramref name="keys"/> that is there: a required whole number from 1 to <paramref name="most"/>.</summary>
    public int Size(IReadOnlyList<string> keys, int most = int.MaxValue) =>
        OptionalSize(keys.FirstOrDefault(Has) ?? keys[0], most) ?? throw Missing(string.Join("\" or \"", keys.Select(Name)));

    public int Size(string key, int most = int.MaxValue) => OptionalSize(key, most) ?? throw Missing(Name(key));

    public int? OptionalSize(string key, int most = int.MaxValue) => Integer(key, 1, most);

    /// <summary>A whole number of at least 0.</summary>
    public int Count(string key, int fallback) => Integer(key, 0, int.MaxValue) ?? fallback;

    public double Number(string key, double fallback) => OptionalNumber(key) ?? fallback;

    public double? OptionalNumber(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || !double.IsFinite(number))
            throw Wrong(key, value, "a number");
        return number;
    }

    public double PositiveNumber(string key, double fallback)
    {
        double number = Number(key, fallback);
        return number > 0 ? number : throw Error(key, $"is {number}; it must be above 0");
    }

    public bool Flag(string key, bool fallback) => Find(key) is not { } value ? fallback : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(key, value, "true or false"),
    };

    public string? Text(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? Decoded(key, value) : throw Wrong(key, value, "a text");

    /// <summary>One of some texts.</summary>
    public string Choice(string key, string fallback, params string[] allowed)
    {
        string text = Text(key) ?? fallback;
        return allowed.Contains(text) ? text : throw Error(key, $"is \"{text}\"; known here: {string.Join(", ", allowed)}");
    }

    public IReadOnlyList<string>? Texts(string key) => List(key, "a list of texts", e => e.ValueKind == JsonValueKind.String ? Decoded(key, e) : null);

    public IReadOnlyList<int>? Integers(string key) =>
        List(key, "a list of whole numbers", e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out int i) ? (int?)i : null)?.Select(i => i!.Value).ToList();

    /// <summary>Whether some value is an object itself.</summary>
    public bool HasObjects => json.EnumerateObject().Any(property => property.Value.ValueKind == JsonValueKind.Object);

    /// <summary>A nested object, or null where it is absent.</summary>
    public ConfigKeys? Object(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(key, value, "an object");
        return new ConfigKeys(value, source, path + key + ".");
    }

    public string Name(string key) => path + key;

    public ModelConfigException Missing(string key) => new($"{source}: the key \"{key}\" is missing.");

    public ModelConfigException Error(string key, string problem) => new($"{source}: \"{Name(key)}\" {problem}.");

    private JsonElement? Find(string key) =>
        json.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private string Decoded(string key, JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException e) // half of a surrogate pair, which JSON can write and no text can hold
        {
            throw new ModelConfigException(Error(key, "is not a valid text").Message, e);
        }
    }

    private int? Integer(string key, int least, int most)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
            throw Wrong(key, value, $"a whole number from {least} to {most}");
        return number >= least && number <= most ? (int)number : throw Error(key, $"is {number}; it must be a whole number from {least} to {most}");
    }

    private List<T>? List<T>(string key, string expected, Func<JsonElement, T?> read)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, expected);
        return [.. value.EnumerateArray().Select(e => read(e) ?? throw Wrong(key, value, expected))];
    }

    private ModelConfigException Wrong(string key, JsonElement value, string expected)
    {
        string text = value.GetRawText();
        return Error(key, $"is {(text.Length <= 60 ? text : Kind(value))}; it must be {expected}");
    }

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();
}
