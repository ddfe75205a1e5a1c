using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>libtorch's products, with numbers of 16 bits widened to float32 on processors that have no instruction for these.</summary>
/// <remarks>
/// There libtorch 2.10 multiplies such numbers one by one. Measured on two cores of a Zen 3 with AVX2 only, with 1,024 × 2,048 weights in bfloat16:
/// as <c>[output, input]</c> 18 to 20 GFLOP/s for any number of rows, as <c>[input, output]</c> 0.4 to 0.5, in attention 9 (q·kᵀ) and 2 (weights · v);
/// widened, conversion included, 53 for 16 rows and 130 for 256. Sums are float32 both ways, and results are rounded to the type of the input.
/// </remarks>
internal static class MatrixProduct
{
    // Up to here weights that are read as they are make up for slow products: at 6 rows with 4,096 × 14,336 weights 34 ms against 36, at 8 rows 46 against 36.
    private const long FewRows = 6;

    // A piece of the widened weights stays in the caches, and its memory is used again: 16 rows with pieces of 4 MiB 38 ms, of 32 MiB 68, with a new tensor for
    // all of them 155.
    private const long PieceNumbers = 1 << 20;

    /// <summary>x·Wᵀ + b.</summary>
    /// <param name="input"><c>[…, input]</c>.</param>
    /// <param name="weight"><c>[output, input]</c>.</param>
    /// <param name="bias"><c>[output]</c>, or null for none.</param>
    /// <returns><c>[…, output]</c>.</returns>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias = null)
    {
        var gradient = is_grad_enabled() && (input.requires_grad || weight.requires_grad);
        if (!Widens(input) || !gradient && input.numel() <= FewRows * weight.shape[1]) return functional.linear(input, weight, bias!);
        using var scope = NewDisposeScope();
        var wide = input.Upcast();
        if (gradient)
            return functional.linear(wide, weight.Upcast(), bias?.Upcast()!).to(input.dtype).MoveToOuterDisposeScope();

        long outputs = weight.shape[0], most = Math.Min(outputs, Math.Max(1, PieceNumbers / weight.shape[1]));
        var output = empty([.. input.shape[..^1], outputs], dtype: input.dtype); // […, output]
        var memory = empty(most, weight.shape[1]); // [rows of a piece, input], in float32
        for (long first = 0; first < outputs; first += most)
        {
            using var piece = NewDisposeScope();
            var count = Math.Min(most, outputs - first);
            var rows = memory.narrow(0, 0, count).copy_(weight.narrow(0, first, count));
            output.narrow(-1, first, count).copy_(functional.linear(wide, rows, bias?.narrow(0, first, count).Upcast()!));
        }

        return output.MoveToOuterDisposeScope();
    }

    /// <summary>For each matrix of a stack x·Wᵀ.</summary>
    /// <param name="input"><c>[matrices, rows, input]</c>.</param>
    /// <param name="weights"><c>[matrices, output, input]</c>.</param>
    /// <returns><c>[matrices, rows, output]</c>.</returns>
    public static Tensor Batched(Tensor input, Tensor weights)
    {
        if (!Widens(input)) return bmm(input, weights.transpose(1, 2));
        using var scope = NewDisposeScope();
        return stack([.. input.unbind().Zip(weights.unbind(), (rows, matrix) => Linear(rows, matrix))]).MoveToOuterDisposeScope();
    }

    /// <summary>a·b, as <see cref="matmul"/> computes it.</summary>
    public static Tensor Multiply(Tensor a, Tensor b)
    {
        if (!Widens(a)) return matmul(a, b);
        using var scope = NewDisposeScope();
        return matmul(a.Upcast(), b.Upcast()).to(a.dtype).MoveToOuterDisposeScope();
    }

    private static bool Widens(Tensor tensor) =>
        tensor.dtype is ScalarType.BFloat16 or ScalarType.Float16 && !Instructions.Best.BFloat16Products && tensor.is_cpu();
}
