using System.Text;

namespace MoeWorkbook;

/// <summary>Byte-pair encoding of words as bytes (Radford et al. 2019, section 2.2): of all neighbouring pairs the one merged earliest in training is merged
/// first.</summary>
internal sealed class BytePairEncoding
{
    /// <summary>For each byte the printable character that stands for it in vocabularies.</summary>
    private static readonly char[] _alphabet = Alphabet();

    private static readonly Dictionary<char, byte> _byteOf = _alphabet.Select((c, b) => (c, b)).ToDictionary(pair => pair.c, pair => (byte)pair.b);

    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Merged)> _merges = [];
    private readonly bool _ignoreMerges;
    private readonly int?[] _byteTokens;

    /// <param name="vocabulary">Ids by token.</param>
    /// <param name="merges">Pairs of tokens, the earliest first.</param>
    /// <param name="ignoreMerges">Whether a word that is a token is taken whole.</param>
    /// <exception cref="FormatException">A merge's parts or result are not in the vocabulary.</exception>
    public BytePairEncoding(Dictionary<string, int> vocabulary, IEnumerable<(string Left, string Right)> merges, bool ignoreMerges)
    {
        (_vocabulary, _ignoreMerges) = (vocabulary, ignoreMerges);
        foreach (var (left, right) in merges)
            _merges[(Known(left), Known(right))] = (_merges.Count, Known(left + right));
        _byteTokens = [.. _alphabet.Select(c => IdOf(c.ToString()))];

        int Known(string token) => IdOf(token) ?? throw new FormatException($"the merges use the token \"{CheckpointException.Shortened(token)}\", which is not in the vocabulary");
    }

    /// <summary>The printable character that stands for a byte in vocabularies.</summary>
    public static char Letter(byte value) => _alphabet[value];

    public int? IdOf(string token) => _vocabulary.TryGetValue(token, out var id) ? id : null;

    /// <summary>The bytes of every token; a token with characters outside of the alphabet stands for itself.</summary>
    public Dictionary<int, byte[]> TokenBytes()
    {
        var bytes = new Dictionary<int, byte[]>(_vocabulary.Count);
        foreach (var (token, id) in _vocabulary)
            bytes[id] = token.All(_byteOf.ContainsKey) ? [.. token.Select(c => _byteOf[c])] : Encoding.UTF8.GetBytes(token);
        return bytes;
    }

    /// <summary>Adds a word's tokens.</summary>
    public void Encode(string word, List<int> ids)
    {
        var bytes = Encoding.UTF8.GetBytes(word);
        if (_ignoreMerges && IdOf(string.Concat(bytes.Select(b => _alphabet[b]))) is { } whole)
        {
            ids.Add(whole);
            return;
        }

        // A linked list of tokens, and a queue of the pairs that could be merged: by rank, then from the left.
        var tokens = bytes.Select(b => _byteTokens[b]).OfType<int>().ToArray();
        var next = Enumerable.Range(1, tokens.Length).ToArray();
        var previous = Enumerable.Range(-1, tokens.Length).ToArray();
        var queue = new PriorityQueue<(int At, int Left, int Right, int Merged), (int Rank, int At)>();
        for (var i = 0; i < tokens.Length; i++) Enqueue(i);
        const int gone = -1;
        while (queue.TryDequeue(out var pair, out _))
        {
            var right = next[pair.At];
            if (right >= tokens.Length || tokens[pair.At] != pair.Left || tokens[right] != pair.Right) continue; // merged otherwise since
            (tokens[pair.At], tokens[right]) = (pair.Merged, gone);
            next[pair.At] = next[right];
            if (next[right] < tokens.Length) previous[next[right]] = pair.At;
            Enqueue(pair.At);
            if (previous[pair.At] >= 0) Enqueue(previous[pair.At]);
        }

        ids.AddRange(tokens.Where(token => token != gone));

        void Enqueue(int at)
        {
            if (next[at] < tokens.Length && _merges.TryGetValue((tokens[at], tokens[next[at]]), out var merge))
                queue.Enqueue((at, tokens[at], tokens[next[at]], merge.Merged), (merge.Rank, at));
        }
    }

    /// <summary>Printable Latin-1 characters stand for themselves, the other bytes for the characters from U+0100 on, in order.</summary>
    private static char[] Alphabet()
    {
        var shifted = 0;
        return [.. Enumerable.Range(0,
            256).Select(b => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)b : (char)(256 + shifted++))];
    }
}
