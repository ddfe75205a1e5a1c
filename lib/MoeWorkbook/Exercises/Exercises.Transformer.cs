using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 02: which keys each query may see.</summary>
    public static Exercise<(int Queries, int Keys), bool[][]> CausalMask { get; } = new(
        "Write the causal mask: for each query a row that says of each key whether the query sees it. The queries are the last positions; where there are more keys than queries, the first keys come from a cache.",
        ["queries", "keys"],
        random =>
        {
            var queries = random.Next(1, 5);
            return (queries, queries + random.Next(3));
        },
        mask => [.. Enumerable.Range(mask.Keys - mask.Queries, mask.Queries).Select(position =>
            Enumerable.Range(0, mask.Keys).Select(key => key <= position).ToArray())],
        mask => mask.Keys > mask.Queries && mask.Queries > 1,
        mask => mask.Keys == mask.Queries && mask.Queries > 1);

    /// <summary>Chapter 02: RMSNorm of one hidden state.</summary>
    public static Exercise<(double[] Hidden, double[] Gain, double Epsilon), double[]> RmsNorm { get; } = new(
        "Write RMSNorm for one hidden state x with gain γ: each xⱼ divided by √(mean of the squares + ε), times γⱼ.",
        ["x", "γ", "ε"],
        random =>
        {
            var size = random.Next(2, 6);
            return (Numbers(random, size), Numbers(random, size), random.Next(2) == 0 ? 1e-5 : 0.1);
        },
        norm =>
        {
            var scale = Math.Sqrt(norm.Hidden.Sum(x => x * x) / norm.Hidden.Length + norm.Epsilon);
            return [.. norm.Hidden.Zip(norm.Gain, (x, gain) => x / scale * gain)];
        },
        norm => norm.Epsilon == 0.1);

    /// <summary>Chapter 02: the rotation of one pair of a head.</summary>
    public static Exercise<(double A, double B, int Position, int Pair, int HeadSize), (double A, double B)> RotatePair { get; } = new(
        "Rotate a pair (a, b) as the rotary embedding does: pair i of a head of size d_h at position t turns by the angle t · 10000^(−2i/d_h).",
        ["a", "b", "position t", "pair i", "head size d_h"],
        random =>
        {
            var headSize = Pick(random, 8, 16, 64, 128);
            var pair = Numbers(random, 2);
            // Single precision knows a larger angle to fewer digits.
            return (pair[0], pair[1], random.Next(0, 25), random.Next(headSize / 2), headSize);
        },
        turn =>
        {
            var (sine, cosine) = Math.SinCos(turn.Position * Math.Pow(10000, -2.0 * turn.Pair / turn.HeadSize));
            return (turn.A * cosine - turn.B * sine, turn.B * cosine + turn.A * sine);
        },
        turn => turn.Position > 0 && turn.Pair > 0 && turn.Pair < turn.HeadSize / 4);

    /// <summary>Chapter 02: the key-value head that serves a query head.</summary>
    public static Exercise<(int Heads, int KeyValueHeads, int QueryHead), int> KeyValueHead { get; } = new(
        "In grouped-query attention, which key-value head serves a given query head? Heads are numbered from 0.",
        ["query heads", "key-value heads", "query head"],
        random =>
        {
            int keyValueHeads = Pick(random, 1, 2, 4, 8), heads = keyValueHeads * Pick(random, 1, 2, 4, 8);
            return (heads, keyValueHeads, random.Next(heads));
        },
        attention => attention.QueryHead / (attention.Heads / attention.KeyValueHeads),
        attention => attention.QueryHead / (attention.Heads / attention.KeyValueHeads) is var right
            && right != attention.QueryHead % attention.KeyValueHeads && right != attention.QueryHead / attention.KeyValueHeads
                && right != attention.QueryHead % (attention.Heads / attention.KeyValueHeads));

    /// <summary>Chapter 02: the bytes of a key-value cache.</summary>
    public static Exercise<(long Layers, long KeyValueHeads, long HeadSize, long Batch, long Context, long BytesPerNumber), long> CacheBytes { get; } = new(
        "How many bytes does the key-value cache of grouped-query attention take, for a batch of sequences of one length?",
        ["layers", "key-value heads", "head size", "batch", "context", "bytes per number"],
        random =>
            (Pick(random, 16, 32, 80), Pick(random, 2, 4, 8, 32), Pick(random, 64, 128), Pick(random, 1, 4, 32),
                Pick(random, 1000, 4096, 131072), Pick(random, 1, 2, 4)),
        cache => 2 * cache.Layers * cache.KeyValueHeads * cache.HeadSize * cache.Batch * cache.Context * cache.BytesPerNumber,
        cache => cache.Batch > 1 && cache.BytesPerNumber > 1);

    /// <summary>Chapter 02: the operations of one block for one token.</summary>
    public static Exercise<(long Hidden, long Heads, long KeyValueHeads, long HeadSize, long IntermediateSize, long Context), (long Projections,
        long BetweenPositions, long FeedForward)> BlockFlops
    { get; } = new(
        "Count the operations of one dense block for one token: the four attention projections, attention between positions (scores and weighted values) at a context length, and the SwiGLU feed-forward. A multiplication and an addition are two operations.",
        ["hidden", "query heads", "key-value heads", "head size", "feed-forward size", "context"],
        random =>
        {
            var keyValueHeads = Pick(random, 1, 2, 4, 8);
            return (Pick(random, 1024, 2048, 4096), keyValueHeads * Pick(random, 1, 2, 4), keyValueHeads, Pick(random, 64, 128),
                Pick(random, 2816, 8192, 14336), Pick(random, 1, 1000, 32768));
        },
        block => (
            4 * block.Hidden * block.HeadSize * (block.Heads + block.KeyValueHeads),
            4 * block.Heads * block.HeadSize * block.Context,
            6 * block.Hidden * block.IntermediateSize),
        block => block.KeyValueHeads < block.Heads && block.Heads * block.HeadSize != block.Hidden && block.Context > 1);

    /// <summary>Chapter 02: one head of causal attention (Vaswani et al. 2017, eq. 1).</summary>
    public static Exercise<(Tensor Queries, Tensor Keys, Tensor Values), Tensor> CausalHead { get; } = new(
        "Compute one head of causal attention. Queries, keys and values are tensors [sequence, head size], rotated where they must be; the "
            + "output is [sequence, head size].",
        ["queries", "keys", "values"],
        random =>
        {
            int positions = random.Next(2, 5), size = random.Next(2, 4);
            return (Matrix(random, positions, size), Matrix(random, positions, size), Matrix(random, positions, size));
        },
        head =>
        {
            var scores = matmul(head.Queries, head.Keys.t()) / Math.Sqrt(head.Queries.shape[1]);
            var future = ones_like(scores).triu(1) > 0;
            return matmul(scores.masked_fill(future, double.NegativeInfinity).softmax(-1), head.Values);
        });

    private static double[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Pick(random, -1, 1) * random.Next(10, 201) / 100.0)];
}
