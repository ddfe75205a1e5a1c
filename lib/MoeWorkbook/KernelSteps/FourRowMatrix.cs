using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Step 3: four rows side by side, so that four sums grow without waiting for each other.</summary>
/// <inheritdoc cref="ScalarMatrix" />
public sealed class FourRowMatrix(float[] weights, int rows, int columns) : WeightMatrix(rows, columns, weights.Length)
{
    /// <inheritdoc />
    public override long Bytes => weights.Length * (long)sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected override void MultiplyRows(ReadOnlySpan<float> x, Span<float> y, int start, int end)
    {
        var xs = MemoryMarshal.Cast<float, Vector512<float>>(x);
        for (var row = start; row < end; row += 4)
        {
            ReadOnlySpan<Vector512<float>> w0 = Row(row), w1 = Row(row + 1);
            ReadOnlySpan<Vector512<float>> w2 = Row(row + 2), w3 = Row(row + 3);
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var i = 0; i < xs.Length; i++)
            {
                s0 = Vector512.FusedMultiplyAdd(w0[i], xs[i], s0);
                s1 = Vector512.FusedMultiplyAdd(w1[i], xs[i], s1);
                s2 = Vector512.FusedMultiplyAdd(w2[i], xs[i], s2);
                s3 = Vector512.FusedMultiplyAdd(w3[i], xs[i], s3);
            }

            (y[row], y[row + 1]) = (Vector512.Sum(s0), Vector512.Sum(s1));
            (y[row + 2], y[row + 3]) = (Vector512.Sum(s2), Vector512.Sum(s3));
        }
    }

    private ReadOnlySpan<Vector512<float>> Row(int row) =>
        MemoryMarshal.Cast<float, Vector512<float>>(weights.AsSpan(row * Columns, Columns));
}
