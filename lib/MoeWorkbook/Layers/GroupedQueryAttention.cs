using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Causal self-attention in which groups of query heads share a key and value head (Ainslie et al. 2023).</summary>
/// <remarks>Multi-head attention where every query head has its own key and value head, multi-query attention where all share one. The options of
/// <see cref="AttentionConfig"/> cover Llama, Mistral, Qwen, OLMoE, GLM-4.5, DBRX, gpt-oss and the gated attention of Qwen3-Next.</remarks>
public sealed class GroupedQueryAttention : TransformerModule
{
    private readonly AttentionConfig _config;
    private readonly RotaryEmbedding? _rotary;
    private readonly int _layer;
    private readonly int? _window;
    private readonly double _epsilon;
    private readonly Projection _query;
    private readonly Projection _key;
    private readonly Projection _value;
    private readonly Projection _output;
    private readonly RmsNorm? _queryNorm;
    private readonly RmsNorm? _keyNorm;

    /// <summary>The attention of one decoder layer.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="config">Heads and options.</param>
    /// <param name="rotary">The rotary embedding of queries and keys, for heads of <see cref="AttentionConfig.HeadSize"/>; null for none.</param>
    /// <param name="norm">The norm whose ε and centring the query and key norms share; null for RMSNorm with ε = 1e-6.</param>
    /// <param name="slidingWindow">Whether a position sees only the last <see cref="AttentionConfig.SlidingWindow"/> positions.</param>
    /// <param name="layer">The number of the layer, under which the cache keeps its keys and values.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentException">A size is not positive, the heads cannot be grouped, or the rotary embedding is for heads of another
    /// size.</exception>
    public GroupedQueryAttention(int hiddenSize, AttentionConfig config, RotaryEmbedding? rotary = null, NormConfig? norm = null,
        bool slidingWindow = false, int layer = 0, ParameterInit? init = null) : base(nameof(GroupedQueryAttention))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.HeadCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.KeyValueHeadCount);
        if (config.HeadCount % config.KeyValueHeadCount != 0)
            throw new ArgumentException($"HeadCount ({config.HeadCount}) must be a multiple of KeyValueHeadCount ({config.KeyValueHeadCount}).", nameof(config));
        if (slidingWindow && !(config.SlidingWindow > 0))
            throw new ArgumentException("The layer has a sliding window but SlidingWindow is not a positive number.", nameof(config));
        if (rotary is not null && rotary.HeadSize != config.HeadSize)
            throw new ArgumentException($"The rotary embedding is for heads of {rotary.HeadSize} elements but HeadSize is {config.HeadSize}.", nameof(rotary));
        init ??= new();
        norm ??= new(NormKind.Rms, 1e-6);
        (_config, _rotary, _layer, _epsilon) = (config, rotary, layer, norm.Epsilon);
        _window = slidingWindow ? config.SlidingWindow : null;

        var queryWidth = checked(config.QueryWidth * (config.OutputGate ? 2 : 1)); // each head's query, then its gate
        register_module("q_proj", _query = new(hiddenSize, queryWidth, config.QueryKeyValueBias, init));
        register_module("k_proj", _key = new(hiddenSize, config.KeyValueWidth, config.QueryKeyValueBias, init));
        register_module("v_proj", _value = new(hiddenSize, config.KeyValueWidth, config.QueryKeyValueBias, init));
        register_module("o_proj", _output = new(config.QueryWidth, hiddenSize, config.OutputBias, init.ForResidual));
        if (config.QueryKeyNorm is QueryKeyNorm.PerHead or QueryKeyNorm.FullWidth)
        {
            var perHead = config.QueryKeyNorm == QueryKeyNorm.PerHead;
            register_module("q_norm", _queryNorm = new(perHead ? config.HeadSize : config.QueryWidth, norm.Epsilon, norm.ZeroCentered, init));
            register_module("k_norm", _keyNorm = new(perHead ? config.HeadSize : config.KeyValueWidth, norm.Epsilon, norm.ZeroCentered, init));
        }

        if (config.Sinks) register_parameter("sinks", init.Constant(0, config.HeadCount));
    }

    /// <summary>Attends from each position to itself, the positions before it, and those in the cache.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <param name="context">Positions and cache.</param>
    /// <returns><c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public override Tensor forward(Tensor hidden, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Expect.Shape(hidden, nameof(hidden), ("batch", -1), ("sequence", -1), ("hidden", _query.Weight.shape[1]));
        using var scope = NewDisposeScope();
        var sequence = hidden.shape[1];
        var (projected, gate) = QueryAndGate(_query.forward(hidden)); // both [batch, sequence, heads · head size]
        var query = NormalizedHeads(projected, _config.HeadCount, _queryNorm); // [batch, heads, sequence, head size]
        var key = NormalizedHeads(_key.forward(hidden), _config.KeyValueHeadCount, _keyNorm); // [batch, key-value heads, sequence, head size]
        var value = SplitHeads(Clipped(_value.forward(hidden)), _config.KeyValueHeadCount).transpose(1, 2);
        if (_rotary is not null)
        {
            var rotation = context.RotationOf(_rotary, sequence, hidden.device);
            (query, key) = (_rotary.Rotate(query, rotation), _rotary.Rotate(key, rotation));
        }

        if (_config.QueryKeyNorm == QueryKeyNorm.WithoutWeights)
            (query, key) = (RmsNorm.Normalize(query, _epsilon).to(hidden.dtype), RmsNorm.Normalize(key, _epsilon).to(hidden.dtype));
        if (context.Cache is { } cache)
        {
            var all = cache.Append(_layer, _window, key, value); // the same with all positions that this layer may see
            (key, value) = (all[0], all[1]);
        }

        Tensor? sinks = _config.Sinks ? get_parameter("sinks") : null;
        var mixed = ScaledDotProductAttention.AttendCausally(query, key, value, 1 / Math.Sqrt(_config.HeadSize), _window, sinks, context);
        mixed = mixed.transpose(1, 2).flatten(2); // [batch, sequence, heads · head size]
        if (gate is not null) mixed *= gate.sigmoid();
        return _output.forward(mixed).MoveToOuterDisposeScope();
    }

    /// <summary>Where the output is gated, each head's projection is its query and then its gate (Qwen3-Next).</summary>
    private (Tensor Query, Tensor? Gate) QueryAndGate(Tensor projected)
    {
        if (!_config.OutputGate) return (projected, null);
        var both = SplitHeads(projected, _config.HeadCount).chunk(2, -1); // each [batch, sequence, heads, head size]
        return (both[0].flatten(2), both[1].flatten(2));
    }

    /// <summary><c>[batch, sequence, heads · size]</c> as <c>[batch, heads, sequence, size]</c>, normalised and clipped as the model asks.</summary>
    private Tensor NormalizedHeads(Tensor projected, int heads, RmsNorm? norm) => _config.QueryKeyNorm switch
    {
        QueryKeyNorm.PerHead => Clipped(norm!.forward(SplitHeads(projected, heads))).transpose(1, 2),
        QueryKeyNorm.FullWidth => SplitHeads(Clipped(norm!.forward(projected)), heads).transpose(1, 2),
        _ => SplitHeads(Clipped(projected), heads).transpose(1, 2),
    };

    private Tensor Clipped(Tensor tensor) => _config.Clip is { } bound ? tensor.clamp(-bound, bound) : tensor;

    private static Tensor SplitHeads(Tensor projected, int heads) => projected.unflatten(2, heads, -1);
}
