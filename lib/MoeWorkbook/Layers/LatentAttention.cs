using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>DeepSeek's multi-head latent attention: all heads' keys and values are linear maps of one small latent vector a token, and only that vector is
/// cached (DeepSeek-V2 2024, section 2.1).</summary>
/// <remarks>
/// Keys and values are never written out. Since q·(K·c) = (Kᵀ·q)·c, each head's key map is applied to its query instead, and its value map to the mixed latent:
/// what remains is multi-query attention whose one key head is [latent, rotary key] and whose one value head is the latent.
/// </remarks>
public sealed class LatentAttention : TransformerModule
{
    /// <summary>ε of the norms on the latent vectors; the published models fix it, whatever their other norms use.</summary>
    private const double LatentEpsilon = 1e-6;

    private readonly LatentAttentionConfig _config;
    private readonly int _heads;
    private readonly int _layer;
    private readonly double _scale;
    private readonly RotaryEmbedding _rotary;
    private readonly Projection? _query;
    private readonly Projection? _queryDown;
    private readonly RmsNorm? _queryNorm;
    private readonly Projection? _queryUp;
    private readonly Projection _latentDown;
    private readonly RmsNorm _latentNorm;
    private readonly Projection _latentUp;
    private readonly Projection _output;

    /// <summary>The attention of one decoder layer.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="attention">The number of heads, and which projections have biases: <see cref="AttentionConfig.QueryKeyValueBias"/> those down to the latent
    /// vectors.</param>
    /// <param name="config">Ranks and head sizes.</param>
    /// <param name="rotary">The rotary embedding, for heads of <see cref="LatentAttentionConfig.RotaryHeadSize"/>.</param>
    /// <param name="layer">The number of the layer, under which the cache keeps its latent vectors.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the rotary embedding is for heads of another size.</exception>
    public LatentAttention(int hiddenSize, AttentionConfig attention, LatentAttentionConfig config, RotaryEmbedding rotary,
        int layer = 0, ParameterInit? init = null)
        : base(nameof(LatentAttention))
    {
        ArgumentNullException.ThrowIfNull(attention);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(rotary);
        var (heads, bias) = (attention.HeadCount, attention.QueryKeyValueBias);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads, nameof(attention));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.NopeHeadSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.ValueHeadSize);
        if (rotary.HeadSize != config.RotaryHeadSize)
            throw new ArgumentException($"The rotary embedding is for heads of {rotary.HeadSize} elements but RotaryHeadSize is {config.RotaryHeadSize}.", nameof(rotary));
        init ??= new();
        (_config, _heads, _layer, _rotary) = (config, heads, layer, rotary);
        _scale = rotary.LogitScale / Math.Sqrt(config.QueryHeadSize);
        var queryWidth = checked(heads * config.QueryHeadSize);
        if (config.QueryRank is { } rank)
        {
            register_module("q_a_proj", _queryDown = new(hiddenSize, rank, bias, init));
            register_module("q_a_layernorm", _queryNorm = new(rank, LatentEpsilon, init: init));
            register_module("q_b_proj", _queryUp = new(rank, queryWidth, init: init));
        }
        else
        {
            register_module("q_proj", _query = new(hiddenSize, queryWidth, init: init));
        }

        register_module("kv_a_proj_with_mqa", _latentDown = new(hiddenSize, config.KeyValueRank + config.RotaryHeadSize, bias, init));
        register_module("kv_a_layernorm", _latentNorm = new(config.KeyValueRank, LatentEpsilon, init: init));
        register_module("kv_b_proj", _latentUp = new(config.KeyValueRank, checked(heads * (config.NopeHeadSize + config.ValueHeadSize)), init: init));
        register_module("o_proj", _output = new(checked(heads * config.ValueHeadSize), hiddenSize, attention.OutputBias, init.ForResidual));
    }

    /// <summary>Attends from each position to itself, the positions before it, and those in the cache.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <param name="context">Positions and cache.</param>
    /// <returns><c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public override Tensor forward(Tensor hidden, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Expect.Shape(hidden, nameof(hidden), ("batch", -1), ("sequence", -1), ("hidden", _latentDown.Weight.shape[1]));
        using var scope = NewDisposeScope();
        var sequence = hidden.shape[1];
        var rotation = context.RotationOf(_rotary, sequence, hidden.device);

        var query = _query is null ? _queryUp!.forward(_queryNorm!.forward(_queryDown!.forward(hidden))) : _query.forward(hidden);
        query = query.unflatten(2, _heads, -1).transpose(1, 2); // [batch, heads, sequence, nope + rotary]
        var queryParts = query.split([_config.NopeHeadSize, _config.RotaryHeadSize], -1);

        var latentParts = _latentDown.forward(hidden).unsqueeze(1).split([_config.KeyValueRank, _config.RotaryHeadSize], -1);
        var latent = _latentNorm.forward(latentParts[0]); // [batch, 1, sequence, rank]
        var rotaryKey = _rotary.Rotate(latentParts[1], rotation); // [batch, 1, sequence, rotary], shared by all heads
        if (context.Cache is { } cache)
        {
            var all = cache.Append(_layer, null, latent, rotaryKey);
            (latent, rotaryKey) = (all[0], all[1]); // the same with all positions so far
        }

        var maps = _latentUp.Weight.unflatten(0, _heads, -1).split([_config.NopeHeadSize, _config.ValueHeadSize], 1);
        var (keyMap, valueMap) = (maps[0], maps[1]); // [heads, nope, rank] and [heads, value, rank]
        var latentQuery = MatrixProduct.Multiply(queryParts[0], keyMap); // [batch, heads, sequence, rank]
        var queries = cat([latentQuery, _rotary.Rotate(queryParts[1], rotation)], -1); // [batch, heads, sequence, rank + rotary]
        var keys = cat([latent, rotaryKey], -1); // [batch, 1, positions, rank + rotary]
        var mixedLatent =
            ScaledDotProductAttention.AttendCausally(queries, keys, latent, _scale, window: null, sinks: null, context); // [batch, heads, sequence, rank]
        var mixed = MatrixProduct.Multiply(mixedLatent, valueMap.transpose(1, 2)); // [batch, heads, sequence, value]
        return _output.forward(mixed.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }
}
