using System.Text;

namespace MoeWorkbook;

/// <summary>A source of lines of one kind. Its tables are drawn once; every line is made of choices from them.</summary>
internal abstract class CorpusDomain
{
    private const string Consonants = "bdfgklmnprstvz", Vowels = "aeiou";

    /// <summary>The name of the domain.</summary>
    public abstract string Name { get; }

    /// <summary>Adds a line, its end included. The line must tell which choices were made.</summary>
    public abstract void WriteLine(StringBuilder text, ChoiceSource choices);

    /// <summary>Different entries, each as <paramref name="draw"/> makes it.</summary>
    protected static IReadOnlyList<T> Distinct<T>(int count, Func<T> draw)
    {
        var entries = new HashSet<T>();
        var list = new List<T>(count);
        while (list.Count < count)
            if (draw() is var entry && entries.Add(entry)) list.Add(entry);
        return list;
    }

    /// <summary>A made-up word of as many syllables.</summary>
    protected static string Word(RandomSource random, int syllables)
    {
        var word = new StringBuilder();
        for (var i = 0; i < syllables; i++) word.Append(Consonants[random.Below(Consonants.Length)]).Append(Vowels[random.Below(Vowels.Length)]);
        return word.ToString();
    }
}
