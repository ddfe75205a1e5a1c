namespace MoeWorkbook;

/// <summary>Cuts a text into the words within which tokens are merged, one step after another.</summary>
internal sealed class PreTokenizer(IReadOnlyList<PreTokenizer.Step> steps)
{
    /// <summary>GPT-2's words: English contractions, letters, digits, other signs, each with one space before it; then spaces.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>One step: what matches <paramref name="Pattern"/> is a word of its own, and so is what lies between; or one of the two is dropped.</summary>
    /// <param name="Pattern">The pattern; null to leave the words whole.</param>
    /// <param name="KeepMatches">Whether matches are kept.</param>
    /// <param name="KeepRest">Whether what lies between is kept.</param>
    /// <param name="PrefixSpace">Whether a word that does not begin with a space gets one first.</param>
    public sealed record Step(WordPattern? Pattern, bool KeepMatches = true, bool KeepRest = true, bool PrefixSpace = false);

    public IEnumerable<string> Words(string text) =>
        steps.Aggregate<Step, IEnumerable<string>>([text], (words, step) => words.SelectMany(word => Cut(word, step)));

    private static List<string> Cut(string word, Step step)
    {
        if (step.PrefixSpace && !word.StartsWith(' ')) word = " " + word;
        if (step.Pattern is null) return [word];
        var cut = new List<string>();
        var position = 0;
        foreach (var (start, end) in step.Pattern.Matches(word))
        {
            Add(step.KeepRest, position, start);
            Add(step.KeepMatches, start, end);
            position = end;
        }

        Add(step.KeepRest, position, word.Length);
        return cut;

        void Add(bool keep, int start, int end)
        {
            if (keep && end > start) cut.Add(word[start..end]);
        }
    }
}
