using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The cosines and sines by which a rotary embedding turns each pair of each position, both <c>[sequence, pairs]</c> in float32.</summary>
/// <param name="Cosine">Cosines of the angles.</param>
/// <param name="Sine">Sines of the angles.</param>
public sealed record Rotation(Tensor Cosine, Tensor Sine);
