using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What attention keeps of the positions before, so that a new token costs one position's work: keys and values, latent vectors (MLA), or a state of
/// fixed size (linear attention).</summary>
/// <remarks>A cache serves one model and one batch of sequences, and inference only: no gradient flows through it. A sliding-window layer keeps no more than
/// its window.</remarks>
public sealed class KeyValueCache : IDisposable
{
    private readonly Dictionary<int, Tensor[]> _layers = [];

    /// <summary>The number of positions that every layer has seen.</summary>
    public long Length { get; private set; }

    /// <summary>The bytes that the cache holds, room for coming positions included.</summary>
    public long Bytes => _layers.Values.SelectMany(tensors => tensors).Sum(tensor => checked(tensor.numel() * tensor.element_size()));

    /// <summary>Forgets all positions and frees their memory.</summary>
    public void Clear()
    {
        foreach (var tensor in _layers.Values.SelectMany(tensors => tensors)) tensor.Dispose();
        _layers.Clear();
        Length = 0;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => Clear();

    /// <summary>Counts new positions, once all layers have seen them. <see cref="CausalLanguageModel"/> does it; call it yourself where you run single layers
    /// on a cache.</summary>
    /// <param name="count">How many positions.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public void Advance(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Length = checked(Length + count);
    }

    /// <summary>Adds the newest positions of a layer, each tensor <c>[…, positions, size]</c>.</summary>
    /// <returns>The same tensors with all positions that the layer may see.</returns>
    internal Tensor[] Append(int layer, int? window, params Tensor[] latest)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (_layers.TryGetValue(layer, out var kept))
            for (var i = 0; i < latest.Length; i++) CheckFits(latest[i], kept[i]);
        var all = window is { } size ? AppendWindow(layer, size, latest) : AppendAll(layer, latest);
        foreach (var tensor in all) tensor.MoveToOuterDisposeScope();
        return all;
    }

    /// <summary>The state of fixed size that a layer left, each tensor <c>[batch, …]</c>; null before its first positions.</summary>
    internal Tensor[]? State(int layer, long batch)
    {
        var state = _layers.GetValueOrDefault(layer);
        if (state is not null && state[0].shape[0] != batch)
            throw new ArgumentException($"The batch has {batch} sequences but the cache [{string.Join(", ", state[0].shape)}] holds {state[0].shape[0]}.");
        return state;
    }

    /// <summary>Replaces a layer's state of fixed size.</summary>
    internal void Replace(int layer, params Tensor[] state)
    {
        using var noGradient = no_grad();
        Keep(layer, Array.ConvertAll(state, tensor => tensor.clone()));
    }

    private void Keep(int layer, Tensor[] kept)
    {
        foreach (var tensor in kept) tensor.DetachFromDisposeScope();
        if (_layers.TryGetValue(layer, out var old))
            foreach (var tensor in old) tensor.Dispose();
        _layers[layer] = kept;
    }

    private Tensor[] AppendAll(int layer, Tensor[] latest)
    {
        var end = Length + latest[0].shape[^2];
        if (!_layers.TryGetValue(layer, out var buffers) || buffers[0].shape[^2] < end)
        {
            var capacity = Math.Max(end, 2 * Length); // doubling: the copying stays below one copy a position
            var grown = Array.ConvertAll(latest, tensor => WithPositions(tensor, capacity));
            for (var i = 0; buffers is not null && i < grown.Length; i++)
                grown[i].narrow(-2, 0, Length).copy_(buffers[i].narrow(-2, 0, Length));
            Keep(layer, buffers = grown);
        }

        for (var i = 0; i < latest.Length; i++) buffers[i].narrow(-2, Length, end - Length).copy_(latest[i]);

        return Array.ConvertAll(buffers, buffer => buffer.narrow(-2, 0, end));
    }

    private Tensor[] AppendWindow(int layer, int window, Tensor[] latest)
    {
        var past = _layers.GetValueOrDefault(layer);
        var all = new Tensor[latest.Length];
        for (var i = 0; i < latest.Length; i++) all[i] = past is null ? latest[i].alias() : cat([past[i], latest[i]], -2);
        var keep = Math.Min(window - 1, all[0].shape[^2]); // the next position sees these and itself
        Replace(layer, Array.ConvertAll(all, tensor => tensor.narrow(-2, tensor.shape[^2] - keep, keep)));
        return all;
    }

    /// <summary>A cache belongs to one batch of one model: only the number of positions may differ.</summary>
    private static void CheckFits(Tensor latest, Tensor kept)
    {
        var (shape, known) = (latest.shape, kept.shape);
        known[^2] = shape[^2];
        if (!shape.AsSpan().SequenceEqual(known))
            throw new ArgumentException($"The new positions have shape [{string.Join(", ", shape)}] but the cache needs [{string.Join(", ", known)}]: begin another batch or model with an empty cache.");
        Expect.Like(latest, "the new positions", kept, "the cache");
    }

    private static Tensor WithPositions(Tensor like, long positions)
    {
        var shape = like.shape;
        shape[^2] = positions;
        return empty(shape, dtype: like.dtype, device: like.device);
    }
}
