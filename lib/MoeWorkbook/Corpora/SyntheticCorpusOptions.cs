namespace MoeWorkbook;

/// <summary>How much text a <see cref="SyntheticCorpus"/> has, and how much there is to memorise in it.</summary>
public sealed record SyntheticCorpusOptions
{
    /// <summary>The largest <see cref="TableSize"/>: there are only so many words of two syllables.</summary>
    internal const int LargestTable = 4000;

    /// <summary>Bytes to train on, about: the last segment is finished.</summary>
    public int TrainingBytes { get; init; } = 4_000_000;

    /// <summary>Bytes to validate on, about.</summary>
    public int ValidationBytes { get; init; } = 400_000;

    /// <summary>Entries in each domain's table: facts, functions, events, words of a kind, motifs, bars; at most 4000. The more, the more a model must
    /// memorise.</summary>
    public int TableSize { get; init; } = 150;

    /// <summary>Fixes the tables and the texts.</summary>
    public ulong Seed { get; init; } = 1;
}
