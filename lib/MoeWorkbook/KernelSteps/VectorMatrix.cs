using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Step 2: sixteen weights at a time in one register.</summary>
/// <inheritdoc cref="ScalarMatrix" />
public sealed class VectorMatrix(float[] weights, int rows, int columns) : WeightMatrix(rows, columns, weights.Length)
{
    /// <inheritdoc />
    public override long Bytes => weights.Length * (long)sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected override void MultiplyRows(ReadOnlySpan<float> x, Span<float> y, int start, int end)
    {
        var xs = MemoryMarshal.Cast<float, Vector512<float>>(x);
        for (var row = start; row < end; row++)
        {
            var w = MemoryMarshal.Cast<float, Vector512<float>>(weights.AsSpan(row * Columns, Columns));
            var sum = Vector512<float>.Zero;
            for (var i = 0; i < w.Length; i++) sum = Vector512.FusedMultiplyAdd(w[i], xs[i], sum);
            y[row] = Vector512.Sum(sum);
        }
    }
}
