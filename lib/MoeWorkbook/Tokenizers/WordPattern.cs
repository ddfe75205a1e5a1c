using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>A regular expression of a tokenizer file, matched on characters where .NET's own are matched on UTF-16 units.</summary>
/// <remarks>
/// A character beyond U+FFFF, which is two units, is shown to .NET as one that stands for it: of the same general category, and in none of the ranges that the
/// pattern writes out.
/// So <c>\p{L}</c> and its like see what they should. The characters of a range beyond U+FFFF that the pattern does write out are shown as others of these,
/// which take the range's place in the pattern.
/// </remarks>
internal sealed partial class WordPattern
{
    /// <summary>Where the search for a standing-in character of a category begins: behind all that patterns name often.</summary>
    private const int FirstStandIn = 0x100;

    /// <summary>The categories that characters beyond U+FFFF have.</summary>
    private static readonly Lazy<UnicodeCategory[]> _categories =
        new(() => [.. Enumerable.Range(0x10000, 0x100000).Select(CharUnicodeInfo.GetUnicodeCategory).Distinct()]);

    private readonly Regex _regex;

    /// <summary>The ranges beyond U+FFFF that the pattern writes out.</summary>
    private readonly List<(int First, int Last)> _ranges = [];

    /// <summary>The other ranges that it writes out, single characters included.</summary>
    private readonly List<(int First, int Last)> _plainRanges = [];

    /// <summary>By category, and which of <see cref="_ranges"/> hold a character: what stands for it.</summary>
    private readonly Dictionary<(UnicodeCategory Category, string Ranges), char> _standIns = [];

    /// <summary>Characters that stand for those of ranges; where one of them stands in a text itself, it is shown as any other of its category.</summary>
    private readonly HashSet<char> _taken = [];

    private WordPattern(string pattern)
    {
        var parts = Parts(pattern);
        foreach (var category in _categories.Value) AddStandIn(category, "");
        foreach (var (first, last) in _ranges)
        {
            for (var rune = first; rune <= last; rune++)
                _taken.Add(AddStandIn(CharUnicodeInfo.GetUnicodeCategory(rune), RangesOf(rune)));
        }

        var shown =
            string.Concat(parts.Select(part => part.Range < 0 ? part.Text : part.IsInClass ? part.Text + Standing(part.Range) : $"[{Standing(part.Range)}]"));
        // X++ never gives back what it took; .NET writes it as an atomic group.
        _regex = new(Possessive().Replace(shown, "(?>$1)"), RegexOptions.CultureInvariant);
    }

    /// <summary>A pattern as tokenizer files write it.</summary>
    /// <exception cref="FormatException">The pattern uses what .NET's regular expressions lack.</exception>
    public static WordPattern Compile(string pattern)
    {
        try
        {
            return new(pattern);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"the pattern {CheckpointException.Shortened(pattern)} is not one that .NET knows: {PlainMessage.Of(e)}", e);
        }
    }

    /// <summary>The matches in a text, each by its first unit and the one behind its last; empty ones are left out.</summary>
    public List<(int Start, int End)> Matches(string text)
    {
        var (shadow, starts) = OneUnitEach(text);
        var matches = new List<(int Start, int End)>();
        foreach (var match in _regex.EnumerateMatches(shadow))
        {
            if (match.Length > 0) matches.Add((starts[match.Index], starts[match.Index + match.Length]));
        }

        return matches;
    }

    private (string Shadow, int[] Starts) OneUnitEach(string text)
    {
        var shadow = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length + 1);
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            starts.Add(position);
            position += rune.Utf16SequenceLength;
            var isShown = rune.IsBmp && !_taken.Contains((char)rune.Value);
            shadow.Append(isShown ? (char)rune.Value : _standIns[(Rune.GetUnicodeCategory(rune), RangesOf(rune.Value))]);
        }

        starts.Add(position);
        return (shadow.ToString(), [.. starts]);
    }

    private string RangesOf(int rune) => rune <= char.MaxValue || _ranges.Count == 0 ? ""
        : string.Concat(_ranges.Select((range, i) => rune >= range.First && rune <= range.Last ? $"{i}," : ""));

    private string Standing(int range) =>
        string.Concat(_standIns.Where(pair => pair.Key.Ranges.Split(',').Contains($"{range}")).Select(pair => pair.Value));

    private char AddStandIn(UnicodeCategory category, string ranges)
    {
        if (_standIns.TryGetValue((category, ranges), out var known)) return known;
        // No pattern asks for characters in private use or without a meaning by their category: they can stand for each other.
        var free = Free(category)
            ?? (category is UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned ? Free(UnicodeCategory.OtherNotAssigned) : null);
        return _standIns[(category, ranges)] = free
            ?? throw new ArgumentException($"it names every character up to U+FFFF of the category {category}, so that those beyond cannot be told from them");
    }

    /// <summary>A character of a category that the pattern does not name and that stands for nothing yet.</summary>
    private char? Free(UnicodeCategory category)
    {
        for (var c = FirstStandIn; c <= char.MaxValue; c++)
        {
            if (CharUnicodeInfo.GetUnicodeCategory(c) == category && !_standIns.ContainsValue((char)c)
                && !_plainRanges.Exists(range => c >= range.First && c <= range.Last))
                return (char)c;
        }

        return null;
    }

    /// <summary>Cuts a pattern into what .NET reads as it is, with <c>Range</c> −1, and the characters and ranges beyond U+FFFF. A range that begins before is
    /// divided.</summary>
    private List<(string Text, int Range, bool IsInClass)> Parts(string pattern)
    {
        // ASCII characters may mean something; the others stand for themselves.
        pattern = Escape().Replace(pattern, match => !match.Groups["hex"].Success ? match.Value
            : RuneOf(match) is var rune && rune < 0x80 ? $"\\u{rune:X4}" : char.ConvertFromUtf32(rune));
        var parts = new List<(string, int, bool)>();
        var isInClass = false;
        for (var at = 0; at < pattern.Length;)
        {
            var match = Part().Match(pattern, at);
            var (first, last, before) = (match.Groups["first"].Value, match.Groups["last"].Value, isInClass ? match.Groups["before"].Value : "");
            // Outside of a class nothing is a range.
            var text = isInClass || match.Value[0] == '\\' ? match.Value : first.Length > 0 ? first : match.Value[..1];
            at += text.Length;
            if (first.Length > 0 || before.Length > 0)
            {
                if (last.Length == 0 || !isInClass) last = first;
                var range = (before.Length > 0 ? char.MaxValue + 1 : char.ConvertToUtf32(first, 0), char.ConvertToUtf32(last, 0));
                if (before.Length > 0) _plainRanges.Add((before[0], char.MaxValue));
                if (!_ranges.Contains(range)) _ranges.Add(range);
                parts.Add((before.Length > 0 ? $"{before}-\uFFFF" : "", _ranges.IndexOf(range), isInClass));
                continue;
            }

            if (text is "[" or "]") isInClass = text == "[";
            foreach (var c in text) _plainRanges.Add((c, c));
            if (text.Length > 1 && match.Groups["end"].Success) _plainRanges.Add((text[0], text[^1]));
            parts.Add((text, -1, isInClass));
        }

        return parts;
    }

    private static int RuneOf(Match escape) =>
        int.TryParse(escape.Groups["hex"].ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var rune) && Rune.IsValid(rune)
            ? rune : throw new ArgumentException($"{escape.Value} is no character");

    /// <summary>An escape; in <c>hex</c> the number of the character, where it names one by number.</summary>
    [GeneratedRegex(@"\\(?:u(?<hex>[0-9A-Fa-f]{4})|[ux]\{(?<hex>[0-9A-Fa-f]{1,8})\}|x(?<hex>[0-9A-Fa-f]{2})|.)", RegexOptions.Singleline)]
    private static partial Regex Escape();

    /// <summary>A character or range beyond U+FFFF, a range that ends there, a range before, an escape, or any one character.</summary>
    [GeneratedRegex(@"(?<first>[\ud800-\udbff][\udc00-\udfff])(?:-(?<last>[\ud800-\udbff][\udc00-\udfff]))?|(?<before>[^\\\[\]])-(?<last>[\ud800-\udbff][\udc00-\udfff])|[^\\\[\]]-(?<end>[^\\\[\]\ud800-\udfff])|\\.|.", RegexOptions.Singleline)]
    private static partial Regex Part();

    [GeneratedRegex(@"((?:\[(?:\\.|[^\]\\])*\]|\\[pP]\{\w+\}|\\.|[^\\()\[\]|?*+{}])(?:[?*+]|\{\d+(?:,\d*)?\}))\+")]
    private static partial Regex Possessive();
}
