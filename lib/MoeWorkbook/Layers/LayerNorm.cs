using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Layer norm: y = (x − mean(x)) / √(var(x) + ε) · g + b (Ba et al. 2016).</summary>
/// <remarks>Input and output <c>[…, size]</c>. Mean and variance are taken in float32 where the input's type is narrower.</remarks>
public sealed class LayerNorm : Module<Tensor, Tensor>
{
    private readonly double _epsilon;
    private readonly bool _bias;

    /// <summary>A norm over the last dimension; g starts at one and b at zero.</summary>
    /// <param name="size">Size of the last dimension.</param>
    /// <param name="epsilon">ε, added to the variance.</param>
    /// <param name="bias">Whether b is there.</param>
    /// <param name="init">Where the weights are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive or ε is negative.</exception>
    public LayerNorm(long size, double epsilon = 1e-5, bool bias = true, ParameterInit? init = null) : base(nameof(LayerNorm))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        init ??= new();
        _epsilon = epsilon;
        _bias = bias;
        register_parameter("weight", init.Constant(1, size));
        if (bias) register_parameter("bias", init.Constant(0, size));
    }

    /// <summary>Normalises the last dimension.</summary>
    /// <param name="input"><c>[…, size]</c>.</param>
    /// <returns><c>[…, size]</c>, of the input's type.</returns>
    /// <exception cref="ArgumentException">The input's last dimension, type or device does not fit.</exception>
    public override Tensor forward(Tensor input)
    {
        Tensor weight = get_parameter("weight")!;
        Expect.LastDimension(input, nameof(input), "size", weight.shape[0]);
        Expect.Like(input, nameof(input), weight);
        using var scope = NewDisposeScope();
        var x = input.Upcast();
        var centred = x - x.mean([-1], keepdim: true);
        var variance = centred.square().mean([-1], keepdim: true); // […, 1]
        var output = centred * rsqrt(variance + _epsilon) * weight.Upcast();
        if (_bias) output += get_parameter("bias")!.Upcast();
        return output.to(input.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The norm that a model's description asks for.</summary>
    /// <param name="size">Size of the last dimension.</param>
    /// <param name="config">Kind, ε, bias and centring.</param>
    /// <param name="init">Where the weights are made.</param>
    internal static Module<Tensor, Tensor> For(long size, NormConfig config, ParameterInit init) => config.Kind switch
    {
        NormKind.Rms => new RmsNorm(size, config.Epsilon, config.ZeroCentered, init),
        NormKind.Layer => new LayerNorm(size, config.Epsilon, config.Bias, init),
        _ => throw new NotSupportedException($"The norm {config.Kind} is not supported."),
    };
}
