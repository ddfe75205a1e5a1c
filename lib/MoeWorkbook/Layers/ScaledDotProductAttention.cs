using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Attention: softmax(q·kᵀ·scale)·v (Vaswani et al. 2017, eq. 1), with query heads in groups that share a key and value head.</summary>
public static class ScaledDotProductAttention
{
    /// <summary>The weighted mean of the values for each query.</summary>
    /// <param name="queries"><c>[batch, heads, queries, head size]</c>.</param>
    /// <param name="keys"><c>[batch, key-value heads, keys, head size]</c>.</param>
    /// <param name="values"><c>[batch, key-value heads, keys, value head size]</c>.</param>
    /// <param name="scale">The factor on q·kᵀ, usually 1/√(head size).</param>
    /// <param name="mask">The attention mask: true where a query must not see a key, booleans <c>[queries, keys]</c>; null where each sees all.</param>
    /// <param name="sinks">A logit for each head, <c>[heads]</c>, that takes part in the softmax and receives no value (gpt-oss); null for none.</param>
    /// <returns><c>[batch, heads, queries, value head size]</c>.</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit together.</exception>
    public static Tensor Attend(Tensor queries, Tensor keys, Tensor values, double scale, Tensor? mask = null, Tensor? sinks = null)
    {
        using var scope = NewDisposeScope();
        var weights = Weights(queries, keys, scale, mask, sinks).to(values.dtype); // [batch, heads, queries, keys]
        var (batch, heads, length) = (queries.shape[0], queries.shape[1], queries.shape[2]);
        var groups = keys.shape[1];
        Expect.Shape(values, nameof(values), ("batch", batch), ("key-value heads", groups), ("keys", keys.shape[2]), ("value head size", -1));
        Expect.SameDevice(values, nameof(values), keys, nameof(keys));
        // The query heads of a group lie beside each other, so a group is one matrix of heads / groups · queries rows.
        var output = MatrixProduct.Multiply(weights.reshape(batch, groups, -1, keys.shape[2]), values);
        return output.reshape(batch, heads, length, values.shape[3]).MoveToOuterDisposeScope();
    }

    /// <summary>The most logits that causal attention holds at once: 16 MiB in float32, and twice that with their softmax.</summary>
    internal const long MostLogits = 4L << 20;

    /// <summary>Causal attention: the last query stands at the last key's position, and each query sees its own position and those before it.</summary>
    /// <param name="queries"><c>[batch, heads, queries, head size]</c>.</param>
    /// <param name="keys"><c>[batch, key-value heads, keys, head size]</c>; not fewer than queries.</param>
    /// <param name="values"><c>[batch, key-value heads, keys, value head size]</c>.</param>
    /// <param name="scale">The factor on q·kᵀ.</param>
    /// <param name="window">How many of the last positions a query sees, its own included; null for all.</param>
    /// <param name="sinks">A logit for each head that takes part in the softmax, <c>[heads]</c>; null for none.</param>
    /// <returns><c>[batch, heads, queries, value head size]</c>.</returns>
    /// <remarks>A long prompt is computed some queries at a time, so that without gradients memory grows with the number of positions and not with its
    /// square.</remarks>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit together.</exception>
    public static Tensor AttendCausally(Tensor queries, Tensor keys, Tensor values, double scale, int? window = null, Tensor? sinks = null)
    {
        using var context = new ForwardContext();
        return AttendCausally(queries, keys, values, scale, window, sinks, context);
    }

    /// <summary>The same, with the masks that the layers of a pass share.</summary>
    internal static Tensor AttendCausally(Tensor queries, Tensor keys, Tensor values, double scale, int? window, Tensor? sinks,
        ForwardContext context, long mostLogits = MostLogits)
    {
        Expect.Shape(queries, nameof(queries), ("batch", -1), ("heads", -1), ("queries", -1), ("head size", -1));
        Expect.Shape(keys, nameof(keys), ("batch", queries.shape[0]), ("key-value heads", -1), ("keys", -1), ("head size", queries.shape[3]));
        long count = queries.shape[2], earlier = keys.shape[2] - count;
        if (earlier < 0) throw new ArgumentException($"queries are {count} but keys only {keys.shape[2]}: each query needs the key of its own position.", nameof(keys));
        var logitsPerPair = Math.Max(1, queries.shape[0] * queries.shape[1]);
        if (count * keys.shape[2] <= mostLogits / logitsPerPair) return Attend(queries, keys, values, scale,
            context.CausalMask(count, keys.shape[2], window, queries.device), sinks);

        using var scope = NewDisposeScope();
        var blocks = new List<Tensor>();
        for (long first = 0, size; first < count; first += size)
        {
            using var block = NewDisposeScope();
            var start = window is { } width ? Math.Max(0, earlier + first + 1 - width) : 0; // the first key that the block sees
            size = Math.Min(count - first, MostRows(mostLogits / logitsPerPair, earlier + first - start));
            var end = earlier + first + size; // behind the last
            blocks.Add(Attend(queries.narrow(2, first, size), keys.narrow(2, start, end - start), values.narrow(2, start, end - start), scale,
                ForwardContext.BuildCausalMask(size, end - start, window, queries.device), sinks).MoveToOuterDisposeScope());
        }

        return cat(blocks, 2).MoveToOuterDisposeScope();
    }

    /// <summary>How many queries, of which the first sees <paramref name="earlier"/> keys before its own, have at most so many pairs with a key: n·(earlier +
    /// n) ≤ pairs.</summary>
    private static long MostRows(long pairs, long earlier) => Math.Max(1, (long)((Math.Sqrt((double)earlier * earlier + 4.0 * pairs) - earlier) / 2));

    /// <summary>The attention weights: for each query a distribution over the keys, less the sinks' share.</summary>
    /// <param name="queries"><c>[batch, heads, queries, head size]</c>.</param>
    /// <param name="keys"><c>[batch, key-value heads, keys, head size]</c>.</param>
    /// <param name="scale">The factor on q·kᵀ.</param>
    /// <param name="mask">The attention mask: true where a query must not see a key, booleans <c>[queries, keys]</c>.</param>
    /// <param name="sinks">A logit for each head that takes part in the softmax, <c>[heads]</c>.</param>
    /// <returns><c>[batch, heads, queries, keys]</c>, in float32 where the queries are narrower.</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit together.</exception>
    public static Tensor Weights(Tensor queries, Tensor keys, double scale, Tensor? mask = null, Tensor? sinks = null)
    {
        Expect.Shape(queries, nameof(queries), ("batch", -1), ("heads", -1), ("queries", -1), ("head size", -1));
        Expect.Floating(queries, nameof(queries));
        Expect.Shape(keys, nameof(keys), ("batch", queries.shape[0]), ("key-value heads", -1), ("keys", -1), ("head size", queries.shape[3]));
        Expect.Like(keys, nameof(keys), queries, nameof(queries));
        var (batch, heads, length) = (queries.shape[0], queries.shape[1], queries.shape[2]);
        var (groups, count) = (keys.shape[1], keys.shape[2]);
        if (groups == 0 || heads % groups != 0)
            throw new ArgumentException($"keys have {groups} heads, which does not divide the queries' {heads}.", nameof(keys));
        if (mask is not null)
        {
            Expect.Shape(mask, nameof(mask), ("queries", length), ("keys", count));
            Expect.Booleans(mask, nameof(mask));
            Expect.SameDevice(mask, nameof(mask), queries, nameof(queries));
        }

        if (sinks is not null)
        {
            Expect.Shape(sinks, nameof(sinks), ("heads", heads));
            Expect.SameDevice(sinks, nameof(sinks), queries, nameof(queries));
        }

        using var scope = NewDisposeScope();
        var logits = MatrixProduct.Multiply(queries.reshape(batch, groups, -1, queries.shape[3]), keys.transpose(2, 3));
        logits = logits.reshape(batch, heads, length, count).Upcast().mul_(scale); // [batch, heads, queries, keys]
        if (mask is not null) logits.masked_fill_(mask, double.NegativeInfinity);
        if (sinks is null) return logits.softmax(-1).MoveToOuterDisposeScope();

        var sink = sinks.Upcast().view(1, heads, 1, 1).expand(batch, heads, length, 1);
        return cat([logits, sink], -1).softmax(-1).narrow(-1, 0, count).MoveToOuterDisposeScope();
    }
}
