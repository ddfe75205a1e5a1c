using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>SwiGLU experts in C#, straight on the tensors' memory: every chosen expert's weights are read once, by all cores together. For one token, where
/// reading weights is all the time there is, and for many, where arithmetic is, it has kernels of their own.</summary>
/// <remarks>
/// For inference on the CPU, in float32 and bfloat16, and on <see cref="QuantizedExpertWeights"/>. Sums are kept in
/// float32, and between the projections of a small batch nothing is rounded to bfloat16, so its results are closer to the exact
/// ones than the loop's. May be used by several threads; they take turns, because each call uses every core.
/// </remarks>
public sealed class FusedExperts : ExpertRunner
{
    private readonly ExpertKernels _kernels;

    /// <summary>A runner with the widest instructions that the processor has.</summary>
    public FusedExperts() : this(Instructions.Best)
    {
    }

    /// <summary>A runner with given instructions, and always with the same kernel where one is given.</summary>
    internal FusedExperts(Instructions instructions, KernelKind? kernel = null) => _kernels = new(instructions, kernel);

    /// <summary>Whether these experts can be computed here, as they are: SwiGLU without biases, in float32 or bfloat16, on the CPU, no gradient
    /// wanted.</summary>
    /// <param name="hidden">Hidden states.</param>
    /// <param name="routing">The decision.</param>
    /// <param name="experts">The experts.</param>
    internal static bool CanRun(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        Obstacle(hidden, routing, experts) is null;

    /// <summary>Runs quantised experts. The activations are rounded as well, to 8 bits in groups of 32: none moves by more than max|group| / 254.
    /// Large batches are computed in bfloat16 where the processor has instructions for it: activations, products and 4-bit weights then move by no more than
    /// 2⁻⁸ of themselves.</summary>
    /// <param name="hidden">Hidden states, <c>[tokens, hidden]</c>, in float32 or bfloat16.</param>
    /// <param name="routing">The router's decision about these tokens.</param>
    /// <param name="experts">The experts.</param>
    /// <returns>For each token the weighted sum of its experts' outputs, <c>[tokens, hidden]</c>; zero for a token without a kept assignment.</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit together.</exception>
    /// <exception cref="NotSupportedException">A gradient is wanted, or the hidden states are of another type or device.</exception>
    public Tensor Run(Tensor hidden, RoutingDecision routing, QuantizedExpertWeights experts)
    {
        ArgumentNullException.ThrowIfNull(hidden);
        ArgumentNullException.ThrowIfNull(routing);
        ArgumentNullException.ThrowIfNull(experts);
        CheckRouting(hidden, routing, experts.ExpertCount, experts.HiddenSize);
        if ((Unsupported(hidden) ?? Gradient(hidden, routing.Weights)) is { } obstacle) throw new NotSupportedException($"{nameof(FusedExperts)} {obstacle}");
        using var scope = NewDisposeScope();
        return _kernels.Run(hidden, routing, experts).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        if (Obstacle(hidden, routing, experts) is { } obstacle) throw new NotSupportedException($"{nameof(FusedExperts)} {obstacle}");
        return _kernels.Run(hidden, routing, experts);
    }

    private static string? Obstacle(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        Unsupported(hidden)
        ?? (experts.Kind == FeedForwardKind.SwiGlu && experts.GateUpBias is null ? null : $"computes SwiGlu experts without biases; these are {experts.Kind}{(experts.GateUpBias is null ? "" : " with biases")}.")
        ?? Gradient(hidden, routing.Weights, experts.GateUp, experts.Down);

    private static string? Unsupported(Tensor hidden) =>
        hidden.device_type != TorchSharp.DeviceType.CPU ? $"computes on the CPU; hidden is on {hidden.device}."
        : hidden.dtype is not (ScalarType.Float32 or ScalarType.BFloat16) ? $"computes in Float32 and BFloat16; hidden is {hidden.dtype}."
        : null;

    private static string? Gradient(params ReadOnlySpan<Tensor> tensors)
    {
        if (!is_grad_enabled()) return null;
        foreach (var tensor in tensors)
            if (tensor.requires_grad) return "computes no gradients, and one is wanted here: run it within no_grad(), or use SortedExperts to train.";
        return null;
    }
}
