using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace MoeWorkbook.Tests;

/// <summary>Valid files changed a little: one or two fields of their JSON, or some bytes.</summary>
internal static class Mutation
{
    /// <summary>Values at the edges of what parsers and programs expect, as JSON text.</summary>
    private static readonly string[] _edges =
    [
        "0", "1", "-1", "2", "3", "255", "256", "65535", "65536", "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "1152921504606846976", "99999999999999999999999",
        "1e308", "1e999", "-1e999", "1e-400", "0.5", "-0.0", "1.0", "1e3", "true", "false", "null", "\"\"", "\"x\"", "\"F32\"", "\"F64\"", "\"f32\"", "\"BOOL\"",
        "\"F8_E4M3\"", "\"yarn\"", "\"llama\"", "\"deepseek_v3\"", "\"\\u0000\"", "\"\\ud800\"", "\"../../x\"", "[]", "[0]", "[1,2]", "[[[[]]]]", "[null]", "[-1]",
        "[9223372036854775807,9223372036854775807]", "[0,0]", "[0,9223372036854775807]", "{}", "{\"a\":{}}", "{\"rope_type\":\"yarn\"}",
        new string('[', 72) + new string(']', 72), "NaN", "",
    ];

    private static readonly Gen<int> _any = Gen.Int[0, 9999];

    /// <summary>The JSON with one or two fields replaced, removed, renamed, repeated or swapped.</summary>
    public static Gen<string> OfJson(string json) => Gen.Select(_any, Gen.Int[0, 9], _any).Array[1, 2].Select(changes =>
    {
        // Text that is no JSON cannot be in a tree; a marker takes its place until the end.
        var replacements = new Dictionary<string, string>();
        var root = JsonNode.Parse(json)!;
        foreach (var (field, change, other) in changes) Change(root, field, change, other, replacements);
        return replacements.Aggregate(root.ToJsonString(), (text, pair) => text.Replace($"\"{pair.Key}\"", pair.Value, StringComparison.Ordinal));
    });

    /// <summary>The bytes with some flipped, removed, inserted, or cut off.</summary>
    public static Gen<byte[]> OfBytes(byte[] bytes) =>
        // Mostly near the beginning, where the header is.
        Gen.Select(Gen.OneOf(Gen.Int[0, 299], Gen.Int[0, bytes.Length]), Gen.Int[0, 4], Gen.Byte.Array[1, 16]).Array[1, 4].Select(changes =>
        {
            var changed = bytes.ToList();
            foreach (var (place, change, drawn) in changes)
            {
                if (changed.Count == 0) break;
                var at = place % changed.Count;
                switch (change)
                {
                    case 0: changed[at] ^= (byte)(1 << drawn[0] % 8); break;
                    case 1: changed[at] = drawn[0]; break;
                    case 2: changed.RemoveRange(at, Math.Min(changed.Count - at, drawn.Length)); break;
                    case 3: changed.InsertRange(at, drawn); break;
                    default: changed.RemoveRange(at, changed.Count - at); break;
                }
            }

            return changed.ToArray();
        });

    /// <summary>A text of JSON with some fields or bytes changed.</summary>
    public static Gen<string> OfText(string json) =>
        Gen.Frequency((3, OfJson(json)), (1, OfBytes(Encoding.UTF8.GetBytes(json)).Select(Encoding.UTF8.GetString)));

    /// <summary>A safetensors file with a field of its header, some bytes, or the length of its header changed.</summary>
    public static Gen<byte[]> OfSafetensors(byte[] file)
    {
        var length = (int)BitConverter.ToInt64(file);
        var header = OfJson(Encoding.UTF8.GetString(file, 8, length)).Select(Encoding.UTF8.GetBytes);
        return Gen.Frequency(
            (7, header.Select(json => File((ulong)json.Length, json))),
            (1, Gen.Select(header, Gen.OneOf(Gen.OneOf(0UL, 1UL, 100_000_000UL, 100_000_001UL, 1UL << 31, 1UL << 60, 1UL << 63, ulong.MaxValue), Gen.ULong),
                (json, size) => File(size, json))),
            (1, Gen.Select(header, Gen.OneOf(-1, 1), (json, off) => File((ulong)(json.Length + off), json))),
            (4, OfBytes(file)));

        byte[] File(ulong size, byte[] json) => [.. BitConverter.GetBytes(size), .. json, .. file.AsSpan(8 + length)];
    }

    private static void Change(JsonNode root, int field, int change, int other, Dictionary<string, string> replacements)
    {
        var fields = Fields(root).ToList();
        if (fields.Count == 0) return;
        var (parent, key) = fields[field % fields.Count];
        var (otherParent, otherKey) = fields[other % fields.Count];
        var marker = $"marker {replacements.Count}";
        switch (change)
        {
            case 0:
                Remove(parent, key);
                break;
            case 1 when parent is JsonObject named: // another name
                var value = named[(string)key]?.DeepClone();
                named.Remove((string)key);
                named[otherKey as string ?? "new"] = value;
                break;
            case 2 when parent is JsonObject twice: // the same name twice
                twice[marker] = marker + " value";
                replacements[marker] = $"\"{key}\"";
                replacements[marker + " value"] = twice[(string)key]?.ToJsonString() ?? "null";
                break;
            case 3 when parent is JsonArray list: // longer lists
                for (var i = 0; i <= other % 100; i++) list.Add(list[(int)key]?.DeepClone());
                break;
            case 4: // another field's value
                Set(parent, key, Get(otherParent, otherKey)?.DeepClone());
                break;
            case 5 or 6 when Get(parent, key) is JsonValue number && number.TryGetValue<long>(out var old): // a number nearby
                Set(parent, key, unchecked((other % 5) switch { 0 => old + 1, 1 => old - 1, 2 => old * 2, 3 => -old, _ => old << other % 60 }));
                break;
            default:
                Set(parent, key, marker);
                replacements[marker] = _edges[other % _edges.Length];
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
}
