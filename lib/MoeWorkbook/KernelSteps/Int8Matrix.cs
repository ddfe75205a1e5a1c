using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Step 5: a byte a weight and a scale a row, w ≈ s·q with q from −127 to 127.</summary>
public sealed class Int8Matrix : WeightMatrix
{
    private readonly sbyte[] _weights;
    private readonly float[] _scales;

    /// <summary>Rounds the weights of each row to 255 evenly spaced values: none moves by more than max|row| / 254.</summary>
    /// <inheritdoc cref="ScalarMatrix" />
    public Int8Matrix(float[] weights, int rows, int columns) : base(rows, columns, weights.Length)
    {
        (_weights, _scales) = (new sbyte[weights.Length], new float[rows]);
        Parallel.For(0, rows, row =>
        {
            var from = weights.AsSpan(row * columns, columns);
            var to = _weights.AsSpan(row * columns, columns);
            float largest = 0;
            foreach (var w in from) largest = Math.Max(largest, Math.Abs(w));
            _scales[row] = largest / 127;
            for (var i = 0; i < columns; i++) to[i] = (sbyte)(largest == 0 ? 0 : MathF.Round(from[i] * (127 / largest)));
        });
    }

    /// <inheritdoc />
    public override long Bytes => _weights.Length + _scales.Length * (long)sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private protected override void MultiplyRows(ReadOnlySpan<float> x, Span<float> y, int start, int end)
    {
        var xs = MemoryMarshal.Cast<float, Vector512<float>>(x);
        for (var row = start; row < end; row++)
        {
            var w = MemoryMarshal.Cast<sbyte, Vector512<sbyte>>(_weights.AsSpan(row * Columns, Columns));
            Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var i = 0; i < w.Length; i++)
            {
                var (low, high) = Vector512.Widen(w[i]); // two times 32 numbers of 16 bits
                var (first, second) = Vector512.Widen(low); // 16 numbers of 32 bits each
                var (third, fourth) = Vector512.Widen(high);
                s0 = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(first), xs[4 * i], s0);
                s1 = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(second), xs[4 * i + 1], s1);
                s2 = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(third), xs[4 * i + 2], s2);
                s3 = Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(fourth), xs[4 * i + 3], s3);
            }

            y[row] = _scales[row] * Vector512.Sum(s0 + s1 + (s2 + s3));
        }
    }
}
