using System.Text.Json;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>JSON as Python's <c>json</c> module writes and reads it: <c>Infinity</c>, <c>-Infinity</c> and <c>NaN</c> may stand where a number does, and a key
/// twice.</summary>
internal static partial class PythonJson
{
    /// <summary>Parses a text; <c>Infinity</c> and its like become texts, so that whoever needs a number there says what it is instead.</summary>
    /// <exception cref="JsonException">The text is no JSON of this kind.</exception>
    public static JsonDocument Parse(string json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            var quoted = TextOrNonFinite().Replace(json, match => match.Value[0] == '"' ? match.Value : $"\"{match.Value}\"");
            if (quoted.Length == json.Length) throw;
            return JsonDocument.Parse(quoted);
        }
    }

    [GeneratedRegex("\"(?>[^\"\\\\]|\\\\.)*\"|-?\\b(?:Infinity|NaN)\\b", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex TextOrNonFinite();
}
