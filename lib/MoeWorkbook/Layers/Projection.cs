using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A linear map y = x·Wᵀ + b, with the weight stored as <c>[output, input]</c>.</summary>
/// <remarks>torch.nn.Linear with two differences: a wrong shape is an exception, and nothing is drawn on the meta device.</remarks>
public sealed class Projection : Module<Tensor, Tensor>
{
    private readonly bool _bias;

    /// <summary>A projection from <paramref name="inputSize"/> to <paramref name="outputSize"/> features.</summary>
    /// <param name="inputSize">Number of input features.</param>
    /// <param name="outputSize">Number of output features.</param>
    /// <param name="bias">Whether b is there; it starts at zero.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public Projection(long inputSize, long outputSize, bool bias = false, ParameterInit? init = null) : base(nameof(Projection))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputSize);
        init ??= new();
        _bias = bias;
        register_parameter("weight", init.Normal(outputSize, inputSize));
        if (bias) register_parameter("bias", init.Constant(0, outputSize));
    }

    /// <summary>The weight W, <c>[output, input]</c>.</summary>
    public Tensor Weight => get_parameter("weight")!;

    /// <summary>The bias b, <c>[output]</c>; null where there is none.</summary>
    public Tensor? Bias => _bias ? get_parameter("bias") : null;

    /// <summary>Computes x·Wᵀ + b.</summary>
    /// <param name="input"><c>[…, input]</c>, of the weight's type and on its device.</param>
    /// <returns><c>[…, output]</c>.</returns>
    /// <exception cref="ArgumentException">The input's last dimension, type or device does not fit.</exception>
    public override Tensor forward(Tensor input)
    {
        var weight = Weight;
        Expect.LastDimension(input, nameof(input), "input size", weight.shape[1]);
        Expect.Like(input, nameof(input), weight);
        return MatrixProduct.Linear(input, weight, Bias);
    }
}
