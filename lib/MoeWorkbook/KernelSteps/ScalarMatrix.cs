using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <summary>Step 1: one weight after another.</summary>
/// <param name="weights">The weights row by row, <c>[rows · columns]</c>; not copied.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="columns">Number of columns.</param>
/// <exception cref="ArgumentException">The sizes do not fit.</exception>
public sealed class ScalarMatrix(float[] weights, int rows, int columns) : WeightMatrix(rows, columns, weights.Length)
{
    /// <inheritdoc />
    public override long Bytes => weights.Length * (long)sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected override void MultiplyRows(ReadOnlySpan<float> x, Span<float> y, int start, int end)
    {
        for (var row = start; row < end; row++)
        {
            var w = weights.AsSpan(row * Columns, Columns);
            float sum = 0;
            for (var i = 0; i < w.Length; i++) sum += w[i] * x[i];
            y[row] = sum;
        }
    }
}
