using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A loss that a trainer adds to the language model's: its weight times its mean over the Mixture-of-Experts layers.</summary>
/// <param name="Name">What histories call it.</param>
/// <param name="Compute">From a layer's decision to a scalar, such as <see cref="BalancingLoss.GShard"/> or one of your own.</param>
/// <param name="Weight">The factor.</param>
public sealed record AuxiliaryLoss(string Name, Func<RoutingDecision, Tensor> Compute, double Weight);
