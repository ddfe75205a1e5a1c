using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A router whose logits are a linear map of the hidden state: logits = x·Wᵀ + b.</summary>
public abstract class LinearRouter : Router
{
    private readonly bool _bias;

    /// <summary>A router with one row of W for each expert.</summary>
    /// <param name="name">The module's name.</param>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts.</param>
    /// <param name="bias">Whether b is there.</param>
    /// <param name="weights">Where and how the weights are made.</param>
    protected LinearRouter(string name, int hiddenSize, int expertCount, bool bias, WeightFactory weights) : base(name, hiddenSize, expertCount)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _bias = bias;
        register_parameter("weight", weights.Normal(expertCount, hiddenSize));
        if (bias) register_parameter("bias", weights.Constant(0, expertCount));
    }

    /// <summary>The logits of every token, computed in float32 where the weights are narrower: choices must not hang on rounding.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <returns><c>[tokens, experts]</c>.</returns>
    /// <exception cref="ArgumentException">Type or device does not fit.</exception>
    protected Tensor Logits(Tensor hidden)
    {
        Tensor weight = get_parameter("weight")!;
        Expect.Like(hidden, nameof(hidden), weight);
        using var scope = NewDisposeScope();
        var tokens = hidden.reshape(-1, HiddenSize).Widened(); // [tokens, hidden]
        Tensor? bias = _bias ? get_parameter("bias")!.Widened() : null;
        return functional.linear(tokens, weight.Widened(), bias!).MoveToOuterDisposeScope();
    }
}
