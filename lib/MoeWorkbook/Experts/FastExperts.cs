using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The fastest runner for the batch at hand: <see cref="FusedExperts"/>, whose kernels cover one token and many, wherever they can compute it.</summary>
/// <remarks>On a GPU it is <see cref="BatchedExperts"/>. On the CPU, where a gradient is wanted or for experts of another kind, <see cref="SortedExperts"/>.</remarks>
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
        !hidden.is_cpu() ? _batched : FusedExperts.CanRun(hidden, routing, experts) ? _fused : _sorted;

    internal override Tensor RunChecked(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        Choose(hidden, routing, experts).RunChecked(hidden, routing, experts);
}
