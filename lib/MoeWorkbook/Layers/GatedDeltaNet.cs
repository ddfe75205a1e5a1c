using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Gated DeltaNet, the linear attention of Qwen3-Next: a matrix S a head maps keys to values; each position fades it, corrects what it recalls for its
/// key, and reads it with its query (Yang et al. 2024, eq. 10).</summary>
/// <remarks>S ← α·S; S ← S + β·k ⊗ (v − Sᵀ·k); output Sᵀ·q. The state has a fixed size, so a long context costs no more memory than a short one. Positions are
/// computed one after another here, as in decoding.</remarks>
public sealed class GatedDeltaNet : TransformerModule
{
    private const double L2Epsilon = 1e-6;

    private readonly LinearAttentionConfig _config;
    private readonly int _layer;
    private readonly double _epsilon;
    private readonly int _valuesPerKey;
    private readonly Projection _input;
    private readonly Projection _rates;
    private readonly Convolution _convolution;
    private readonly RmsNorm _norm;
    private readonly Projection _output;

    /// <summary>The linear attention of one decoder layer.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="config">Heads, sizes, length of the convolution.</param>
    /// <param name="epsilon">ε of the norm on each head's output.</param>
    /// <param name="layer">The number of the layer, under which the cache keeps its state.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the value heads are no multiple of the key heads.</exception>
    public GatedDeltaNet(int hiddenSize, LinearAttentionConfig config, double epsilon = 1e-6, int layer = 0,
        ParameterInit? init = null) : base(nameof(GatedDeltaNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.KeyHeads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.ValueHeads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.KeyHeadSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(config.ConvolutionKernel);
        if (config.ValueHeads % config.KeyHeads != 0)
            throw new ArgumentException($"ValueHeads ({config.ValueHeads}) must be a multiple of KeyHeads ({config.KeyHeads}).", nameof(config));
        init ??= new();
        (_config, _layer, _epsilon, _valuesPerKey) = (config, layer, epsilon, config.ValueHeads / config.KeyHeads);
        register_module("in_proj_qkvz", _input = new(hiddenSize, checked(2 * config.KeyWidth + 2 * config.ValueWidth), init: init));
        register_module("in_proj_ba", _rates = new(hiddenSize, 2 * config.ValueHeads, init: init));
        register_module("conv1d", _convolution = new(config.ConvolutionWidth, config.ConvolutionKernel, init));
        register_parameter("dt_bias", init.Constant(1, config.ValueHeads));
        register_parameter("A_log", init.Constant(0, config.ValueHeads));
        register_module("norm", _norm = new(config.ValueHeadSize, epsilon, init: init));
        register_module("out_proj", _output = new(config.ValueWidth, hiddenSize, init: init.ForResidual));
    }

    /// <summary>Mixes each position with itself, the positions before it, and the cached state.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <param name="context">The cache.</param>
    /// <returns><c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public override Tensor forward(Tensor hidden, ForwardContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Expect.Shape(hidden, nameof(hidden), ("batch", -1), ("sequence", -1), ("hidden", _input.Weight.shape[1]));
        using var scope = NewDisposeScope();
        var batch = hidden.shape[0];
        var past = context.Cache?.State(_layer, batch);

        // The input projection lies key head by key head: its query, its key, its value heads, their output gates.
        long valueGroup = _valuesPerKey * _config.ValueHeadSize;
        var parts = _input.forward(hidden).unflatten(2, _config.KeyHeads, -1)
            .split([_config.KeyHeadSize, _config.KeyHeadSize, valueGroup, valueGroup], -1);
        var outputGate = parts[3].reshape(batch, -1, _config.ValueHeads, _config.ValueHeadSize);
        var rates = _rates.forward(hidden).unflatten(2, _config.KeyHeads, -1).split([_valuesPerKey, _valuesPerKey], -1);
        var beta = rates[0].flatten(2).Upcast().sigmoid(); // β, [batch, sequence, value heads]
        var step = functional.softplus(rates[1].flatten(2).Upcast() + get_parameter("dt_bias")!.Upcast());
        var decay = (-get_parameter("A_log")!.Upcast().exp() * step).exp(); // α, [batch, sequence, value heads]

        var channels = cat([parts[0].flatten(2), parts[1].flatten(2), parts[2].flatten(2)], -1); // [batch, sequence, channels]
        var (mixed, tail) = _convolution.Forward(channels, past?[0]);
        var qkv = functional.silu(mixed).Upcast().split([_config.KeyWidth, _config.KeyWidth, _config.ValueWidth], -1);
        var query = KeyHeads(qkv[0]) / Math.Sqrt(_config.KeyHeadSize); // [batch, sequence, value heads, key size]
        var key = KeyHeads(qkv[1]);
        var value = qkv[2].unflatten(2, _config.ValueHeads, -1); // [batch, sequence, value heads, value size]

        var (read, state) = Recur(query, key, value, decay, beta, past?[1]);
        context.Cache?.Replace(_layer, tail, state);
        var normed = _norm.forward(read.to(hidden.dtype)).Upcast() * functional.silu(outputGate.Upcast());
        return _output.forward(normed.flatten(2).to(hidden.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>Query or key heads of unit length, repeated for each value head that they serve.</summary>
    private Tensor KeyHeads(Tensor channels)
    {
        var heads = channels.unflatten(2, _config.KeyHeads, -1); // [batch, sequence, key heads, key size]
        var unit = heads * rsqrt(heads.square().sum(-1, keepdim: true) + L2Epsilon);
        return unit.repeat_interleave(_valuesPerKey, 2);
    }

    /// <summary>The recurrence over positions.</summary>
    /// <param name="query"><c>[batch, sequence, heads, key size]</c>.</param>
    /// <param name="key"><c>[batch, sequence, heads, key size]</c>.</param>
    /// <param name="value"><c>[batch, sequence, heads, value size]</c>.</param>
    /// <param name="decay">α, <c>[batch, sequence, heads]</c>.</param>
    /// <param name="beta">β, <c>[batch, sequence, heads]</c>.</param>
    /// <param name="past">The state before, <c>[batch, heads, key size, value size]</c>; null for zero.</param>
    /// <returns>What each position reads, <c>[batch, sequence, heads, value size]</c>, and the last state, <c>[batch, heads, key size, value
    /// size]</c>.</returns>
    internal static (Tensor Read, Tensor State) Recur(Tensor query, Tensor key, Tensor value, Tensor decay, Tensor beta, Tensor? past)
    {
        var (batch, sequence, heads) = (query.shape[0], query.shape[1], query.shape[2]);
        var state = past ?? zeros(batch, heads, key.shape[3], value.shape[3], dtype: query.dtype, device: query.device);
        var reads = new Tensor[sequence];
        for (var t = 0; t < sequence; t++)
        {
            using var scope = NewDisposeScope();
            var k = key.select(1, t).unsqueeze(-1); // [batch, heads, key size, 1]
            var faded = state * decay.select(1, t).unsqueeze(-1).unsqueeze(-1);
            var recalled = (faded * k).sum(-2); // [batch, heads, value size]
            var correction = (value.select(1, t) - recalled) * beta.select(1, t).unsqueeze(-1);
            var next = (faded + k * correction.unsqueeze(-2)).MoveToOuterDisposeScope();
            if (t > 0) state.Dispose(); // a long prompt would hold one for each position
            state = next;
            reads[t] = (state * query.select(1, t).unsqueeze(-1)).sum(-2).MoveToOuterDisposeScope();
        }

        return (stack(reads, 1), state);
    }

    /// <summary>A causal convolution over positions, each channel on its own: y_t = Σ_j w_j · x_{t − kernel + 1 + j}.</summary>
    private sealed class Convolution : Module
    {
        private readonly int _kernel;

        public Convolution(int channels, int kernel, ParameterInit init) : base("CausalConvolution")
        {
            _kernel = kernel;
            register_parameter("weight", init.Normal(channels, 1, kernel));
        }

        /// <summary>The convolved channels, and the last kernel − 1 inputs, which the next positions need.</summary>
        public (Tensor Output, Tensor Tail) Forward(Tensor channels, Tensor? past)
        {
            var (batch, sequence, width) = (channels.shape[0], channels.shape[1], channels.shape[2]);
            past ??= zeros(batch, _kernel - 1, width, dtype: channels.dtype, device: channels.device);
            var padded = cat([past, channels], 1); // [batch, kernel − 1 + sequence, channels]
            var taps = get_parameter("weight")!.squeeze(1).unbind(-1); // each [channels]
            var output = padded.narrow(1, 0, sequence) * taps[0];
            for (var j = 1; j < _kernel; j++) output += padded.narrow(1, j, sequence) * taps[j];
            return (output, padded.narrow(1, sequence, _kernel - 1));
        }
    }
}
