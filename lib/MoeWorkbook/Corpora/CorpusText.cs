using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A text as token ids, with the domain that each token belongs to.</summary>
public sealed class CorpusText
{
    private readonly int[] _tokens;
    private readonly int[] _domains;

    /// <summary>A labelled text.</summary>
    /// <param name="tokens">The ids of its tokens.</param>
    /// <param name="domains">The domain of each token, an index into <see cref="Corpus.Domains"/>.</param>
    /// <exception cref="ArgumentException">There are not as many labels as tokens.</exception>
    public CorpusText(int[] tokens, int[] domains)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(domains);
        if (tokens.Length != domains.Length)
            throw new ArgumentException($"domains has {domains.Length} labels but tokens has {tokens.Length} tokens: one for each is needed.", nameof(domains));
        (_tokens, _domains) = (tokens, domains);
    }

    /// <summary>The ids of the tokens.</summary>
    public ReadOnlySpan<int> Tokens => _tokens;

    /// <summary>The domain of each token, an index into <see cref="Corpus.Domains"/>.</summary>
    public ReadOnlySpan<int> Domains => _domains;

    /// <summary>Number of tokens.</summary>
    public int Length => _tokens.Length;

    /// <summary>A number that differs between different texts: FNV-1a (Fowler, Noll, Vo 1991) over tokens and labels.</summary>
    internal ulong Checksum => _tokens.Concat(_domains).Aggregate(14695981039346656037UL, (hash, value) => unchecked((hash ^ (uint)value) * 1099511628211UL));

    /// <summary>Draws windows that begin anywhere in the text.</summary>
    /// <param name="batchSize">Number of windows.</param>
    /// <param name="sequenceLength">Tokens in each.</param>
    /// <param name="seed">Fixes the places: the same seed gives the same batch.</param>
    /// <exception cref="ArgumentException">A number is not positive, or the text is not longer than a window.</exception>
    public CorpusBatch Draw(int batchSize, int sequenceLength, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequenceLength);
        if (sequenceLength >= Length)
            throw new ArgumentException($"sequenceLength is {sequenceLength} but the text has {Length} tokens; a window and the token after it must fit in.", nameof(sequenceLength));
        var random = new RandomSource(seed);
        var places = new int[batchSize];
        for (var i = 0; i < places.Length; i++) places[i] = random.Below(Length - sequenceLength);

        return new(Windows(_tokens, 0), Windows(_tokens, 1), Windows(_domains, 0), Windows(_domains, 1));

        Tensor Windows(int[] from, int shift)
        {
            var values = new long[batchSize * sequenceLength];
            for (var i = 0; i < values.Length; i++) values[i] = from[places[i / sequenceLength] + shift + i % sequenceLength];
            return tensor(values, [batchSize, sequenceLength], device: CPU);
        }
    }
}
