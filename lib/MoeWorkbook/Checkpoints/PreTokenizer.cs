using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>Cuts a text into the words within which tokens are merged, one step after another.</summary>
internal sealed partial class PreTokenizer(IReadOnlyList<PreTokenizer.Step> steps)
{
    /// <summary>GPT-2's words: English contractions, letters, digits, other signs, each with one space before it; then spaces.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>One step: what matches <paramref name="Pattern"/> is a word of its own, and so is what lies between; or one of the two is dropped.</summary>
    /// <param name="Pattern">The pattern; null to leave the words whole.</param>
    /// <param name="KeepMatches">Whether matches are kept.</param>
    /// <param name="KeepRest">Whether what lies between is kept.</param>
    /// <param name="PrefixSpace">Whether a word that does not begin with a space gets one first.</param>
    public sealed record Step(Regex? Pattern, bool KeepMatches = true, bool KeepRest = true, bool PrefixSpace = false);

    public IEnumerable<string> Words(string text) => steps.Aggregate<Step, IEnumerable<string>>([text], (words, step) => words.SelectMany(word => Cut(word, step)));

    /// <summary>A pattern as tokenizer files write it.</summary>
    /// <exception cref="FormatException">The pattern uses what .NET's regular expressions lack.</exception>
    public static Regex Compile(string pattern)
    {
        try
        {
            // X++ never gives back what it took; .NET writes it as an atomic group.
            return new(Possessive().Replace(pattern, "(?>$1)"), RegexOptions.CultureInvariant);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"the pattern {CheckpointException.Shortened(pattern)} is not one that .NET knows: {e.Message}", e);
        }
    }

    private static List<string> Cut(string word, Step step)
    {
        if (step.PrefixSpace && !word.StartsWith(' ')) word = " " + word;
        if (step.Pattern is null) return [word];
        var (shadow, starts) = OneUnitEach(word);
        var cut = new List<string>();
        var position = 0;
        foreach (var match in step.Pattern.EnumerateMatches(shadow))
        {
            if (match.Length == 0) continue;
            Add(step.KeepRest, position, match.Index);
            Add(step.KeepMatches, match.Index, match.Index + match.Length);
            position = match.Index + match.Length;
        }

        Add(step.KeepRest, position, shadow.Length);
        return cut;

        void Add(bool keep, int start, int end)
        {
            if (keep && end > start) cut.Add(word[starts[start]..starts[end]]);
        }
    }

    /// <summary>.NET matches UTF-16 units, so that a character outside of the first plane is no letter to it. Each such character is replaced by one of the same category, and where each began is kept.</summary>
    private static (string Shadow, int[] Starts) OneUnitEach(string text)
    {
        var shadow = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length + 1);
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            starts.Add(position);
            position += rune.Utf16SequenceLength;
            shadow.Append(rune.IsBmp ? (char)rune.Value : Representative(Rune.GetUnicodeCategory(rune)));
        }

        starts.Add(position);
        return (shadow.ToString(), [.. starts]);
    }

    private static char Representative(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\u0100',
        UnicodeCategory.LowercaseLetter => '\u0101',
        UnicodeCategory.TitlecaseLetter => '\u01C5',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => '\u01BB',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u2160',
        UnicodeCategory.OtherNumber => '\u00B2',
        UnicodeCategory.MathSymbol => '\u00B1',
        UnicodeCategory.ModifierSymbol => '\u00B4',
        UnicodeCategory.CurrencySymbol => '\u00A3',
        UnicodeCategory.OtherSymbol => '\u00A9',
        UnicodeCategory.OtherPunctuation => '\u00A7',
        UnicodeCategory.DashPunctuation => '\u2010',
        UnicodeCategory.ConnectorPunctuation => '\u203F',
        _ => '\uE000', // private use: no letter, number, sign or space
    };

    [GeneratedRegex(@"((?:\[(?:\\.|[^\]\\])*\]|\\[pP]\{\w+\}|\\.|[^\\()\[\]|?*+{}])(?:[?*+]|\{\d+(?:,\d*)?\}))\+")]
    private static partial Regex Possessive();
}
