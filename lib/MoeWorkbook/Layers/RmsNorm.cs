using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Root-mean-square layer norm: y = x / √(mean(x²) + ε) · g (Zhang &amp; Sennrich 2019, eq. 4).</summary>
/// <remarks>Input and output <c>[…, size]</c>. The mean is taken in float32 where the input's type is narrower.</remarks>
public sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly double _epsilon;
    private readonly bool _zeroCentred;

    /// <summary>A norm over the last dimension; g starts at one.</summary>
    /// <param name="size">Size of the last dimension.</param>
    /// <param name="epsilon">ε, added to the mean square.</param>
    /// <param name="zeroCentered">Whether the stored weight is g − 1 (Qwen3-Next).</param>
    /// <param name="init">Where the weight is made.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive or ε is negative.</exception>
    public RmsNorm(long size, double epsilon = 1e-6, bool zeroCentered = false, ParameterInit? init = null) : base(nameof(RmsNorm))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        _epsilon = epsilon;
        _zeroCentred = zeroCentered;
        register_parameter("weight", (init ?? new()).Constant(zeroCentered ? 0 : 1, size));
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
        var gain = _zeroCentred ? weight.Upcast() + 1 : weight.Upcast();
        return (Normalize(input, _epsilon) * gain).to(input.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>x / √(mean(x²) + ε) over the last dimension, without a weight.</summary>
    /// <param name="input"><c>[…, size]</c>.</param>
    /// <param name="epsilon">ε, added to the mean square.</param>
    /// <returns><c>[…, size]</c>, in float32 where the input's type is narrower.</returns>
    /// <exception cref="ArgumentException">The input is not of a floating-point type.</exception>
    public static Tensor Normalize(Tensor input, double epsilon)
    {
        Expect.Floating(input, nameof(input));
        using var scope = NewDisposeScope();
        var x = input.Upcast();
        var meanSquare = x.square().mean([-1], keepdim: true); // […, 1]
        return (x * rsqrt(meanSquare + epsilon)).MoveToOuterDisposeScope();
    }
}
