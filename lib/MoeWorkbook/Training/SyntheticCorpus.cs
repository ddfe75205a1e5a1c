namespace MoeWorkbook;

/// <summary>A made-up language of six domains whose structure differs: arithmetic, bracketed code, dates, sentences, DNA and music. Its segments of a few lines each follow one another in one stream.</summary>
/// <remarks>Each domain draws from a large random table (facts, functions, events, words, motifs, phrases) that is the same in both texts: there is more to memorise than a small feed-forward block can hold, so that capacity matters. Every random choice of the source is counted, which gives the entropy floor.</remarks>
public static class SyntheticCorpus
{
    /// <summary>Writes the two texts, from the same tables and different draws.</summary>
    /// <param name="options">How much text and how large tables; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public static Corpus Generate(SyntheticCorpusOptions? options = null) => throw new NotImplementedException($"{options}");
}
