using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Means and exponentials are computed in float32 where the weights are narrower.</summary>
internal static class Precision
{
    /// <summary>The tensor in float32, or unchanged where it is float32 or float64 already.</summary>
    public static Tensor Upcast(this Tensor tensor) =>
        tensor.dtype is ScalarType.Float32 or ScalarType.Float64 ? tensor : tensor.to(ScalarType.Float32);
}
