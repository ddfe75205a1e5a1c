namespace MoeWorkbook;

/// <summary>How much text a <see cref="SyntheticCorpus"/> has, and how much there is to memorise in it.</summary>
public sealed record SyntheticCorpusOptions
{
    /// <summary>Bytes to train on.</summary>
    public int TrainingBytes { get; init; } = 4_000_000;

    /// <summary>Bytes to validate on.</summary>
    public int ValidationBytes { get; init; } = 400_000;

    /// <summary>Entries in each domain's table: words, events, functions, motifs, phrases. The more, the more a model must memorise.</summary>
    public int TableSize { get; init; } = 600;

    /// <summary>Fixes the tables and the texts.</summary>
    public ulong Seed { get; init; } = 1;
}
