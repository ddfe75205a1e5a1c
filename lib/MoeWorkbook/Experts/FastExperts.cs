using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The fastest runner for the batch at hand: <see cref="FusedExperts"/>, whose kernels cover one token and many, wherever it can compute it and is not
/// slower than <see cref="SortedExperts"/>.</summary>
/// <remarks>Where a gradient is wanted, or for experts of another kind, it is always <see cref="SortedExperts"/>; on a GPU
/// <see cref="BatchedExperts"/>.</remarks>
public sealed class FastExperts : ExpertRunner
{
    private readonly FusedExperts _fused = new();
    private readonly SortedExperts _sorted = new();
    private readonly BatchedExperts _batched = new();

    /// <summary>Runs quantised experts with <see cref="FusedExperts"/>.</summary>
    /// <inheritdoc cref="FusedExperts.Run(Tensor, RoutingDecision, QuantizedExpertWeights)" />
    public Tensor Run(Tensor hidden, RoutingDecision routing, QuantizedExpertWeights experts) => _fused.Run(hidden, routing, experts);

    /// <summary>The runner for this batch.</summary>
    internal ExpertRunner Choose(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        !hidden.is_cpu() ? _batched : FusedExperts.CanRun(hidden, routing, experts) && !SortsFaster(hidden, routing, experts) ? _fused : _sorted;

    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        Choose(hidden, routing, experts).Compute(hidden, routing, experts);

    private static bool SortsFaster(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        hidden.dtype == ScalarType.BFloat16
        && KernelChoice.Sorts(Instructions.Best, ExpertKernels.TokensPerExpert(routing), (long)experts.HiddenSize * experts.IntermediateSize);
}
