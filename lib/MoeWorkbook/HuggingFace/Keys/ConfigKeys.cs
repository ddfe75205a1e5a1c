using System.Text.Json;

namespace MoeWorkbook;

/// <summary>The keys of one JSON object of a model description. Every failure names the source, the key, and what is allowed; what was asked for is
/// remembered.</summary>
internal sealed class ConfigKeys
{
    /// <summary>Where a multimodal model's file describes its language model.</summary>
    public const string TextConfig = "text_config";

    /// <summary>What a file that wraps a language model says for it: the wrapper's word counts, and where it has none the language model's.</summary>
    private static readonly string[] _saidByWrapper = ["model_type", "eos_token_id"];

    /// <summary>What may stand in the wrapper, in the language model, or in both if they agree.</summary>
    private static readonly string[] _saidByEither = ["tie_word_embeddings", "quantization_config", "quantization", "num_nextn_predict_layers"];

    private readonly JsonElement _json;
    private readonly string _source;
    private readonly string _path;
    private readonly ConfigKeys? _wrapper;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConfigKeys> _objects = new(StringComparer.Ordinal);

    private ConfigKeys(JsonElement json, string source, string path = "", ConfigKeys? wrapper = null) =>
        (_json, _source, _path, _wrapper) = (json, source, path, wrapper);

    /// <summary>Parses <paramref name="json"/>, which must be an object.</summary>
    public static ConfigKeys Parse(string json, string source)
    {
        JsonElement root;
        try
        {
            using var document = PythonJson.Parse(json);
            root = document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new ModelConfigException($"{source} is not valid JSON: {PlainMessage.Of(e)}", e);
        }

        if (root.ValueKind != JsonValueKind.Object)
            throw new ModelConfigException($"{source} must hold one JSON object; it holds a JSON {Kind(root)}.");
        CheckTexts(root, source, "");
        return new ConfigKeys(root, source);
    }

    /// <summary>Where the keys come from, for messages.</summary>
    public string Source => _source;

    /// <summary>The keys of the language model that <c>text_config</c> describes, together with what this object, its wrapper, says for it; this object itself
    /// where it wraps none.</summary>
    public ConfigKeys Unwrapped()
    {
        if (Find(TextConfig) is not { } text) return this;
        if (text.ValueKind != JsonValueKind.Object) throw Wrong(TextConfig, text, "an object");
        return new ConfigKeys(text, _source, $"{_path}{TextConfig}.", this);
    }

    /// <summary>Declares that keys are understood, though nothing here depends on them.</summary>
    public void Ignore(params string[] keys) => _read.UnionWith(keys);

    /// <summary>The keys that nobody asked for, with the object that they stand in; those of the wrapper and of nested objects included.</summary>
    public IEnumerable<(ConfigKeys In, string Key, JsonElement Value)> Unread =>
        _json.EnumerateObject().Where(property => !_read.Contains(property.Name)).Select(property => (this, property.Name, property.Value))
            .Concat(_objects.Where(nested => nested.Key != TextConfig).SelectMany(nested => nested.Value.Unread))
            .Concat(_wrapper?.Unread.Where(outer => !IsRepeated(outer.In, outer.Key, outer.Value)) ?? []);

    /// <summary>Whether a key is there and not null.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether a key is there, be it null: some families give an absent option another meaning than null.</summary>
    public bool States(string key)
    {
        _read.Add(key);
        return _json.TryGetProperty(key, out _) || (_wrapper is not null && _saidByWrapper.Concat(_saidByEither).Contains(key) && _wrapper.States(key));
    }

    /// <summary>A required whole number from 1 to <paramref name="most"/> that has several names; where the file uses more than one, they must agree.</summary>
    public int Size(IReadOnlyList<string> keys, int most = int.MaxValue)
    {
        string[] stated = [.. keys.Where(Has)];
        if (stated.Length == 0) throw Missing(string.Join("\" or \"", keys.Select(Name)));
        var size = Size(stated[0], most);
        foreach (var other in stated.Skip(1))
        {
            if (Size(other, most) != size) throw Error(other, $"is {Size(other, most)}, but \"{Name(stated[0])}\", which means the same, is {size}");
        }

        return size;
    }

    public int Size(string key, int most = int.MaxValue) => OptionalSize(key, most) ?? throw Missing(Name(key));

    public int? OptionalSize(string key, int most = int.MaxValue) => Integer(key, 1, most);

    /// <summary>A whole number of at least 0.</summary>
    public int Count(string key, int fallback) => Integer(key, 0, int.MaxValue) ?? fallback;

    public double Number(string key, double fallback) => OptionalNumber(key) ?? fallback;

    public double? OptionalNumber(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || !double.IsFinite(number))
            throw Wrong(key, value, "a number");
        return number;
    }

    public double PositiveNumber(string key, double fallback)
    {
        var number = Number(key, fallback);
        return number > 0 ? number : throw Error(key, $"is {number}; it must be above 0");
    }

    public bool Flag(string key, bool fallback) => Find(key) is not { } value ? fallback : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(key, value, "true or false"),
    };

    public string? Text(string key) => Find(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(key, value, "a text");

    /// <summary>One of some texts.</summary>
    public string Choice(string key, string fallback, params string[] allowed)
    {
        var text = Text(key) ?? fallback;
        return allowed.Contains(text) ? text : throw Error(key, $"is \"{text}\"; known here: {string.Join(", ", allowed)}");
    }

    public IReadOnlyList<string>? Texts(string key) => List(key, "a list of texts", e => e.ValueKind == JsonValueKind.String ? e.GetString()! : null);

    public IReadOnlyList<int>? Integers(string key) =>
        List(key, "a list of whole numbers", e => e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out var i) ? (int?)i : null)?.Select(i => i!.Value).ToList();

    /// <summary>Token ids, one or a list of them; none where the key is absent.</summary>
    public IReadOnlyList<int> OneOrMoreIds(string key) => Find(key) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } => List(key, "a token id, a whole number from 0, or a list of them", Id)!.Select(id => id!.Value).ToList(),
        { } one => [Id(one) ?? throw Wrong(key, one, "a token id, a whole number from 0, or a list of them")],
    };

    private static int? Id(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0 ? id : null;

    /// <summary>How many keys there are.</summary>
    public int Entries => _json.EnumerateObject().Count();

    /// <summary>Whether some value is an object itself.</summary>
    public bool HasObjects => _json.EnumerateObject().Any(property => property.Value.ValueKind == JsonValueKind.Object);

    /// <summary>A nested object, or null where it is absent.</summary>
    public ConfigKeys? Object(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(key, value, "an object");
        if (!_objects.TryGetValue(key, out var nested)) _objects.Add(key, nested = new ConfigKeys(value, _source, _path + key + "."));
        return nested;
    }

    public string Name(string key) => _path + key;

    public ModelConfigException Missing(string key) => new($"{_source}: the key \"{key}\" is missing.");

    public ModelConfigException Error(string key, string problem) => new($"{_source}: \"{Name(key)}\" {problem}.");

    private JsonElement? Find(string key)
    {
        var own = FindOwn(key);
        if (_wrapper is null) return own;
        if (_saidByWrapper.Contains(key)) return _wrapper.Find(key) ?? own;
        if (!_saidByEither.Contains(key) || _wrapper.Find(key) is not { } outer) return own;
        if (own is { } inner && !JsonElement.DeepEquals(inner, outer))
            throw Error(key, $"is {Shown(inner)} but \"{_wrapper.Name(key)}\" is {Shown(outer)}; which of them counts, the file does not say");
        return outer;
    }

    /// <summary>The value of a key of this object; a key that stands twice must have one value.</summary>
    private JsonElement? FindOwn(string key)
    {
        _read.Add(key);
        if (!_json.TryGetProperty(key, out var value)) return null;
        foreach (var property in _json.EnumerateObject())
        {
            if (property.NameEquals(key) && !JsonElement.DeepEquals(property.Value, value))
                throw Error(key, $"stands twice, as {Shown(property.Value)} and as {Shown(value)}");
        }

        return value.ValueKind == JsonValueKind.Null ? null : value;
    }

    /// <summary>Whether a wrapper says of its language model what that says itself.</summary>
    private bool IsRepeated(ConfigKeys outer, string key, JsonElement value) =>
        outer == _wrapper && _json.TryGetProperty(key, out var own) && JsonElement.DeepEquals(own, value);

    private int? Integer(string key, int least, int most)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number))
            throw Wrong(key, value, $"a whole number from {least} to {most}");
        return number >= least && number <= most ? (int)number : throw Error(key, $"is {number}; it must be a whole number from {least} to {most}");
    }

    private List<T>? List<T>(string key, string expected, Func<JsonElement, T?> read)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, expected);
        return [.. value.EnumerateArray().Select(e => read(e) ?? throw Wrong(key, value, expected))];
    }

    /// <summary>JSON can write half of a surrogate pair, which no text can hold.</summary>
    private static void CheckTexts(JsonElement value, string source, string path)
    {
        try
        {
            if (value.ValueKind == JsonValueKind.String) value.GetString();
            if (value.ValueKind == JsonValueKind.Array)
                foreach (var element in value.EnumerateArray()) CheckTexts(element, source, path);
            if (value.ValueKind == JsonValueKind.Object)
                foreach (var property in value.EnumerateObject())
                    CheckTexts(property.Value, source, path.Length == 0 ? property.Name : $"{path}.{property.Name}");
        }
        catch (InvalidOperationException e)
        {
            throw new ModelConfigException(path.Length == 0 ? $"{source}: a key is not a valid text." : $"{source}: \"{path}\" is not a valid text.", e);
        }
    }

    private ModelConfigException Wrong(string key, JsonElement value, string expected) => Error(key, $"is {Shown(value)}; it must be {expected}");

    /// <summary>A value in a message: in full where it is short.</summary>
    public static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        if (text.Length > 200) return Kind(value);
        text = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= 60 ? text : Kind(value);
    }

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();
}
