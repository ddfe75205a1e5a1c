using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The fastest of the other runners for the batch at hand: <see cref="FusedExperts"/> while reading weights is what takes the time, <see cref="SortedExperts"/> with libtorch's matrix product where arithmetic is, and wherever a gradient is wanted.</summary>
public sealed class FastExperts : ExpertRunner
{
    private readonly FusedExperts _fused = new();
    private readonly SortedExperts _sorted = new();

    private protected override Tensor RunChecked(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
        FusedExperts.CanRun(hidden, routing, experts) && TokensPerExpert(routing) <= Crossover(hidden.dtype)
            ? _fused.Run(hidden, routing, experts)
            : _sorted.Run(hidden, routing, experts);

    private static double Crossover(ScalarType type) => type == ScalarType.BFloat16 ? 8 : 64;

    private static double TokensPerExpert(RoutingDecision routing) => 1;
}
