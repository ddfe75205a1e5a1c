using System.Text;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests;

/// <summary>Changes valid files a little, always in the same way for a seed: one field of their JSON, or some bytes.</summary>
internal sealed class JsonMutator(int seed)
{
    /// <summary>Values at the edges of what parsers and programs expect, as JSON text.</summary>
    private static readonly string[] Edges =
    [
        "0", "1", "-1", "2", "3", "255", "256", "65535", "65536", "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "1152921504606846976", "99999999999999999999999",
        "1e308", "1e999", "-1e999", "1e-400", "0.5", "-0.0", "1.0", "1e3", "true", "false", "null", "\"\"", "\"x\"", "\"F32\"", "\"F64\"", "\"f32\"", "\"BOOL\"", "\"F8_E4M3\"", "\"yarn\"", "\"llama\"", "\"deepseek_v3\"",
        "\"\\u0000\"", "\"\\ud800\"", "\"../../x\"", "[]", "[0]", "[1,2]", "[[[[]]]]", "[null]", "[-1]", "[9223372036854775807,9223372036854775807]", "[0,0]", "[0,9223372036854775807]", "{}", "{\"a\":{}}", "{\"rope_type\":\"yarn\"}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]","NaN", "",
    ];

    private readonly Random _random = new(seed);

    public int Next(int below) => _random.Next(below);

    /// <summary>The JSON with one or two fields replaced, removed, renamed, repeated or swapped.</summary>
    public string Json(string json)
    {
        // Text that is no JSON cannot be in a tree; a marker takes its place until the end.
        var replacements = new Dictionary<string, string>();
        var root = JsonNode.Parse(json)!;
        for (var i = 0; i <= _random.Next(2); i++) Change(root, replacements);
        var text = root.ToJsonString();
        foreach (var (marker, replacement) in replacements) text = text.Replace($"\"{marker}\"", replacement, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The bytes with some flipped, removed, inserted, or cut off.</summary>
    public byte[] Bytes(byte[] bytes)
    {
        var changed = bytes.ToList();
        for (var i = 0; i <= _random.Next(4) && changed.Count > 0; i++)
        {
            // Mostly near the beginning, where the header is.
            var at = _random.Next(_random.Next(2) == 0 ? changed.Count : Math.Min(changed.Count, 300));
            switch (_random.Next(5))
            {
                case 0: changed[at] ^= (byte)(1 << _random.Next(8)); break;
                case 1: changed[at] = (byte)_random.Next(256); break;
                case 2: changed.RemoveRange(at, Math.Min(changed.Count - at, 1 + _random.Next(16))); break;
                case 3: changed.InsertRange(at, Enumerable.Range(0, 1 + _random.Next(16)).Select(_ => (byte)_random.Next(256))); break;
                default: changed.RemoveRange(at, changed.Count - at); break;
            }
        }

        return [.. changed];
    }

    private void Change(JsonNode root, Dictionary<string, string> replacements)
    {
        var fields = Fields(root).ToList();
        if (fields.Count == 0) return;
        var (parent, key) = fields[_random.Next(fields.Count)];
        var marker = $"marker {replacements.Count}";
        switch (_random.Next(10))
        {
            case 0:
                Remove(parent, key);
                break;
            case 1 when parent is JsonObject named: // another name
                var value = named[(string)key]?.DeepClone();
                named.Remove((string)key);
                named[fields[_random.Next(fields.Count)].Key as string ?? "new"] = value;
                break;
            case 2 when parent is JsonObject twice: // the same name twice
                twice[marker] = marker + " value";
                replacements[marker] = $"\"{key}\"";
                replacements[marker + " value"] = twice[(string)key]?.ToJsonString() ?? "null";
                break;
            case 3 when parent is JsonArray list: // longer lists
                for (var i = 0; i < 1 + _random.Next(100); i++) list.Add(list[(int)key]?.DeepClone());
                break;
            case 4: // another field's value
                var (otherParent, otherKey) = fields[_random.Next(fields.Count)];
                Set(parent, key, Get(otherParent, otherKey)?.DeepClone());
                break;
            case 5 or 6 when Get(parent, key) is JsonValue number && number.TryGetValue<long>(out var old): // a number nearby
                Set(parent, key, unchecked(_random.Next(5) switch { 0 => old + 1, 1 => old - 1, 2 => old * 2, 3 => -old, _ => old << _random.Next(60) }));
                break;
            default:
                Set(parent, key, marker);
                replacements[marker] = Edges[_random.Next(Edges.Length)];
                break;
        }
    }

    private static IEnumerable<(JsonNode Parent, object Key)> Fields(JsonNode? node) => node switch
    {
        JsonObject named => named.SelectMany(pair => Fields(pair.Value).Prepend((named, pair.Key))),
        JsonArray list => list.SelectMany((element, i) => Fields(element).Prepend((list, i))),
        _ => [],
    };

    private static JsonNode? Get(JsonNode parent, object key) => key is string name ? parent[name] : parent[(int)key];

    private static void Set(JsonNode parent, object key, JsonNode? value)
    {
        if (key is string name) parent[name] = value;
        else parent[(int)key] = value;
    }

    private static void Remove(JsonNode parent, object key)
    {
        if (key is string name) ((JsonObject)parent).Remove(name);
        else ((JsonArray)parent).RemoveAt((int)key);
    }

    /// <summary>A safetensors file from its header and data; now and then the length is another.</summary>
    public byte[] Safetensors(string header, ReadOnlySpan<byte> data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        ulong[] lengths = [0, 1, (ulong)json.Length - 1, (ulong)json.Length + 1, 100_000_000, 100_000_001, 1UL << 31, 1UL << 60, 1UL << 63, ulong.MaxValue, (ulong)_random.NextInt64()];
        var length = _random.Next(8) == 0 ? lengths[_random.Next(lengths.Length)] : (ulong)json.Length;
        return [.. BitConverter.GetBytes(length), .. json, .. data];
    }
}
