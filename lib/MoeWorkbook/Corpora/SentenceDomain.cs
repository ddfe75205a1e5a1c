using System.Text;

namespace MoeWorkbook;

/// <summary>Sentences of a small grammar over a large made-up lexicon: <c>the lumo tevani pasured the gokabes.</c> Each noun goes with a few adjectives and
/// verbs of its own, each verb with a few objects.</summary>
internal sealed class SentenceDomain : CorpusDomain
{
    private const int Companions = 3;

    private readonly ZipfTable<Noun> _nouns;

    public SentenceDomain(int tableSize, RandomSource random)
    {
        // One drawing for all kinds of words, so that none is of two kinds.
        var words = Distinct(3 * tableSize, () => Word(random, 2 + random.Below(2)));
        var nouns = words.Take(tableSize).ToList();
        var adjectives = words.Skip(tableSize).Take(tableSize).ToList();
        var verbs = words.Skip(2 * tableSize).Select(verb => new Verb(verb, Some(nouns))).ToList();
        _nouns = new([.. nouns.Select(noun => new Noun(noun, Some(adjectives), Some(verbs)))]);

        IReadOnlyList<T> Some<T>(IReadOnlyList<T> all) => Distinct(Math.Min(Companions, all.Count), () => all[random.Below(all.Count)]);
    }

    public override string Name => "sentences";

    public override void WriteLine(StringBuilder text, ChoiceSource choices)
    {
        var subject = choices.Of(_nouns);
        var verb = choices.Of(subject.Verbs);
        var plural = choices.Chance(0.5);
        text.Append("the ").Append(choices.Of(subject.Adjectives)).Append(' ').Append(subject.Word).Append(plural ? "s " : " ")
            .Append(verb.Word).Append(plural ? " the " : "s the ").Append(choices.Of(verb.Objects)).Append(".\n");
    }

    private sealed record Noun(string Word, IReadOnlyList<string> Adjectives, IReadOnlyList<Verb> Verbs);

    private sealed record Verb(string Word, IReadOnlyList<string> Objects);
}
