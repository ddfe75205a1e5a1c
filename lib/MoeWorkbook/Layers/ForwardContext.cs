using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What the layers of one forward pass share: token ids, positions, the cache, the source of random numbers, and the routing decisions taken on the
/// way.</summary>
public sealed class ForwardContext : IDisposable
{
    private readonly DisposeScope? _callersScope = CurrentDisposeScope;
    private readonly Dictionary<(long Queries, long Keys, int? Window), Tensor> _masks = [];
    private ((RotaryEmbedding Embedding, long Start, long Count, DeviceType Type, int Index) Of, Rotation Rotation)? _rotation;

    /// <summary>The ids of the tokens, <c>[batch, sequence]</c>; null where only hidden states are known.</summary>
    public Tensor? TokenIds { get; init; }

    /// <summary>The earlier positions; null where the pass begins at position 0 and nothing is kept. No gradient flows through a cache.</summary>
    public KeyValueCache? Cache { get; init; }

    /// <summary>The source of a router's training-time randomness, a generator of the CPU whatever the device; null for TorchSharp's global one.</summary>
    public Generator? Generator { get; init; }

    /// <summary>Where each Mixture-of-Experts layer adds its decision, in the order of the layers; null to keep none.</summary>
    public IList<RoutingDecision>? Routing { get; init; }

    /// <summary>The position of the first token of this pass: the length of the cache.</summary>
    public long Start => Cache?.Length ?? 0;

    /// <summary>The rotation of this pass's positions, computed once for all layers.</summary>
    internal Rotation RotationOf(RotaryEmbedding embedding, long count, Device device)
    {
        var wanted = (embedding, Start, count, device.type, device.index);
        if (_rotation is { } known && known.Of.Equals(wanted)) return known.Rotation;
        var rotation = embedding.At(Start, count, device);
        DisposeRotation();
        _rotation = (wanted, new(rotation.Cosine.DetachFromDisposeScope(), rotation.Sine.DetachFromDisposeScope()));
        return rotation;
    }

    /// <summary>The attention mask of causal attention, <c>[queries, keys]</c>: true where a query must not see a key; null where each sees all. The last query
    /// is at the last key's position.</summary>
    internal Tensor? CausalMask(long queries, long keys, int? window, Device device)
    {
        if (window >= keys) window = null;
        if (queries == 1 && window is null) return null;
        if (_masks.TryGetValue((queries, keys, window), out var known)) return known;
        return _masks[(queries, keys, window)] = BuildCausalMask(queries, keys, window, device).DetachFromDisposeScope();
    }

    /// <summary>The keys behind each query's position, and those in front of its window, <c>[queries, keys]</c>.</summary>
    internal static Tensor BuildCausalMask(long queries, long keys, int? window, Device device)
    {
        using var scope = NewDisposeScope();
        var query = arange(keys - queries, keys, ScalarType.Int64, device).unsqueeze(1); // [queries, 1]
        var key = arange(keys, ScalarType.Int64, device).unsqueeze(0); // [1, keys]
        var masked = key > query;
        if (window is { } size) masked |= key <= query - size;
        return masked.MoveToOuterDisposeScope();
    }

    /// <summary>Adds a layer's decision to <see cref="Routing"/>, so that its tensors live as long as the caller's dispose scope.</summary>
    internal void Record(RoutingDecision decision)
    {
        if (Routing is null) return;
        foreach (var part in decision.Tensors)
        {
            if (_callersScope is null) part.DetachFromDisposeScope();
            else part.MoveToOtherDisposeScope(_callersScope);
        }

        Routing.Add(decision);
    }

    /// <summary>Frees the masks and rotations that the layers shared. Routing decisions stay.</summary>
    public void Dispose()
    {
        foreach (var mask in _masks.Values) mask.Dispose();
        _masks.Clear();
        DisposeRotation();
    }

    private void DisposeRotation()
    {
        _rotation?.Rotation.Cosine.Dispose();
        _rotation?.Rotation.Sine.Dispose();
        _rotation = null;
    }
}
