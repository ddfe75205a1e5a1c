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

    /// <summary>An expert that no token can choose, as if it were not there: its logit is −∞. Null, the default, for none.</summary>
    public int? AbsentExpert
    {
        get;
        set => field = value is null || value >= 0 && value < ExpertCount ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"AbsentExpert must be from 0 to {ExpertCount - 1}.");
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
        var logits = functional.linear(tokens, weight.Widened(), bias!); // [tokens, experts]
        if (AbsentExpert is { } absent) logits = logits.index_fill(1, tensor((long)absent, device: logits.device), double.NegativeInfinity);
        return logits.MoveToOuterDisposeScope();
    }
}
