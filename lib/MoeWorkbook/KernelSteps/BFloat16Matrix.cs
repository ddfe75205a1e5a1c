using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Step 4: the same numbers in half the bytes. A bfloat16 number is the upper half of a float32, so one shift makes it one.</summary>
public sealed class BFloat16Matrix : WeightMatrix
{
    private readonly ushort[] _weights;

    /// <summary>Rounds the weights to bfloat16.</summary>
    /// <inheritdoc cref="ScalarMatrix" />
    public BFloat16Matrix(float[] weights, int rows, int columns) : base(rows, columns, weights.Length)
    {
        _weights = new ushort[weights.Length];
        Parallel.For(0, rows, row =>
        {
            for (var i = row * columns; i < (row + 1) * columns; i++) _weights[i] = BFloat16Bits.Narrow(weights[i]);
        });
    }

    /// <inheritdoc />
    public override long Bytes => _weights.Length * (long)sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected override void MultiplyRows(ReadOnlySpan<float> x, Span<float> y, int start, int end)
    {
        var xs = MemoryMarshal.Cast<float, Vector512<float>>(x);
        for (var row = start; row < end; row += 2)
        {
            ReadOnlySpan<Vector512<ushort>> w0 = Row(row), w1 = Row(row + 1);
            Vector512<float> s0 = default, s1 = default, t0 = default, t1 = default;
            for (var i = 0; i < w0.Length; i++)
            {
                var (low, high) = Vector512.Widen(w0[i]);
                s0 = Vector512.FusedMultiplyAdd((low << 16).AsSingle(), xs[2 * i], s0);
                t0 = Vector512.FusedMultiplyAdd((high << 16).AsSingle(), xs[2 * i + 1], t0);
                (low, high) = Vector512.Widen(w1[i]);
                s1 = Vector512.FusedMultiplyAdd((low << 16).AsSingle(), xs[2 * i], s1);
                t1 = Vector512.FusedMultiplyAdd((high << 16).AsSingle(), xs[2 * i + 1], t1);
            }

            (y[row], y[row + 1]) = (Vector512.Sum(s0 + t0), Vector512.Sum(s1 + t1));
        }
    }

    private ReadOnlySpan<Vector512<ushort>> Row(int row) =>
        MemoryMarshal.Cast<ushort, Vector512<ushort>>(_weights.AsSpan(row * Columns, Columns));
}
