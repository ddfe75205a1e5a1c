namespace MoeWorkbook;

/// <summary>Random choices of a text source, each counted with −ln p of what was chosen. Where a text tells which choices were made, their sum is −ln p of the
/// text.</summary>
internal sealed class ChoiceSource(ulong seed)
{
    private readonly RandomSource _random = new(seed);

    /// <summary>The sum of −ln p over all choices so far, in nats.</summary>
    public double Nats { get; private set; }

    /// <summary>One of <paramref name="count"/> numbers from 0, all equally likely.</summary>
    public int Of(int count)
    {
        Nats += Math.Log(count);
        return _random.Below(count);
    }

    /// <summary>One of the options, all equally likely.</summary>
    public T Of<T>(IReadOnlyList<T> options) => options[Of(options.Count)];

    /// <summary>True with probability <paramref name="probability"/>.</summary>
    public bool Chance(double probability)
    {
        var happens = _random.Uniform() < probability;
        Nats -= Math.Log(happens ? probability : 1 - probability);
        return happens;
    }

    /// <summary>One of the entries: some are common, most are rare.</summary>
    public T Of<T>(ZipfTable<T> table)
    {
        var (index, probability) = table.Draw(_random.Uniform());
        Nats -= Math.Log(probability);
        return table[index];
    }
}
