using System.Globalization;
using System.Text;

namespace MoeWorkbook;

/// <summary>Unicode's normalization form C, in which letters and their accents are one character where there is one (Unicode Standard Annex 15; Hangul by
/// section 3.12 of the standard).</summary>
/// <remarks>.NET's own <c>Normalize</c> needs the ICU library: without it, or in invariant mode, it returns texts as they are and says nothing. This one is the
/// same everywhere.</remarks>
internal static class UnicodeComposition
{
    /// <summary>No character below this is composed or decomposed when it stands alone or among others of them.</summary>
    private const char FirstMark = '\u0300';

    private const int Syllables = 0xAC00, LeadingJamo = 0x1100, VowelJamo = 0x1161, TrailingJamo = 0x11A7;
    private const int LeadingCount = 19, VowelCount = 21, TrailingCount = 28, SyllableCount = LeadingCount * VowelCount * TrailingCount;

    private static readonly Lazy<Tables> _tables = new(Tables.Read);

    /// <summary>A text in form C. Halves of surrogate pairs become U+FFFD.</summary>
    public static string Compose(string text)
    {
        if (text.All(c => c < FirstMark)) return text;
        var tables = _tables.Value;
        var runes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes()) tables.Decompose(rune.Value, runes);
        SortMarks(runes, tables);
        return Recompose(runes, tables);
    }

    /// <summary>Marks on one letter are put in the order of their classes; those of one class keep theirs.</summary>
    private static void SortMarks(List<int> runes, Tables tables)
    {
        for (var start = 0; start < runes.Count; start++)
        {
            if (tables.ClassOf(runes[start]) == 0) continue;
            var end = start;
            while (end < runes.Count && tables.ClassOf(runes[end]) != 0) end++;
            var sorted = runes.GetRange(start, end - start).OrderBy(tables.ClassOf).ToList(); // OrderBy is stable
            for (var i = 0; i < sorted.Count; i++) runes[start + i] = sorted[i];
            start = end;
        }
    }

    private static string Recompose(List<int> runes, Tables tables)
    {
        var composed = new List<int>(runes.Count);
        int starter = -1, before = 0; // the last letter's place, and the class of what stands before the next mark
        foreach (var rune in runes)
        {
            var markClass = tables.ClassOf(rune);
            var isBlocked = starter < 0 || (starter < composed.Count - 1 && before >= markClass);
            if (!isBlocked && tables.Compose(composed[starter], rune) is { } both)
            {
                composed[starter] = both;
                continue;
            }

            if (markClass == 0) starter = composed.Count;
            before = markClass;
            composed.Add(rune);
        }

        var text = new StringBuilder(composed.Count);
        foreach (var rune in composed) text.Append(new Rune(rune).ToString());
        return text.ToString();
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, byte> _classes = [];
        private readonly Dictionary<int, int[]> _decompositions = [];
        private readonly Dictionary<(int, int), int> _compositions = [];

        public static Tables Read()
        {
            var tables = new Tables();
            using var reader = new StreamReader(typeof(UnicodeComposition).Assembly.GetManifestResourceStream("unicode-composition.txt")!);
            while (reader.ReadLine() is { } line)
            {
                if (line[0] != '#') tables.Add(line.Split(' '));
            }

            return tables;
        }

        public int ClassOf(int rune) => _classes.GetValueOrDefault(rune);

        /// <summary>Adds a character's parts, which have none themselves.</summary>
        public void Decompose(int rune, List<int> parts)
        {
            var syllable = rune - Syllables;
            if (syllable is >= 0 and < SyllableCount)
            {
                parts.Add(LeadingJamo + syllable / (VowelCount * TrailingCount));
                parts.Add(VowelJamo + syllable / TrailingCount % VowelCount);
                if (syllable % TrailingCount != 0) parts.Add(TrailingJamo + syllable % TrailingCount);
            }
            else if (_decompositions.TryGetValue(rune, out var known))
            {
                foreach (var part in known) Decompose(part, parts);
            }
            else
            {
                parts.Add(rune);
            }
        }

        /// <summary>The one character for two; null where there is none.</summary>
        public int? Compose(int first, int second)
        {
            if (first - LeadingJamo is >= 0 and < LeadingCount && second - VowelJamo is >= 0 and < VowelCount)
                return Syllables + ((first - LeadingJamo) * VowelCount + second - VowelJamo) * TrailingCount;
            if (first - Syllables is >= 0 and < SyllableCount && (first - Syllables) % TrailingCount == 0 && second - TrailingJamo is > 0 and < TrailingCount)
                return first + second - TrailingJamo;
            return _compositions.TryGetValue((first, second), out var both) ? both : null;
        }

        /// <summary>"FIRST..LAST CLASS", or "CHARACTER= PART PART"; "!" instead of "=" where the parts are never composed again.</summary>
        private void Add(string[] fields)
        {
            if (fields[0].Split("..") is [var first, var last])
            {
                for (var rune = Hex(first); rune <= Hex(last); rune++) _classes.Add(rune, byte.Parse(fields[1], CultureInfo.InvariantCulture));
                return;
            }

            var whole = Hex(fields[0][..^1]);
            int[] parts = [.. fields[1..].Select(Hex)];
            _decompositions.Add(whole, parts);
            if (fields[0].EndsWith('=')) _compositions.Add((parts[0], parts[1]), whole);
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
