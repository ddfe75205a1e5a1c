using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Step 6: two weights a byte and a scale for each group of 32, w ≈ s·(q − 8) with q from 0 to 15.</summary>
public sealed class Int4Matrix : WeightMatrix
{
    private const int Group = 32;

    // Of 64 weights the first 32 lie in the lower halves of 32 bytes, the last 32 in the upper halves.
    private readonly byte[] _weights;
    private readonly float[] _scales;

    /// <summary>Rounds the weights of each group of 32 to 15 evenly spaced values: none moves by more than max|group| / 14.</summary>
    /// <inheritdoc cref="ScalarMatrix" />
    public Int4Matrix(float[] weights, int rows, int columns) : base(rows, columns, weights.Length)
    {
        (_weights, _scales) = (new byte[weights.Length / 2], new float[weights.Length / Group]);
        Parallel.For(0, _scales.Length / 2, pair =>
        {
            for (var half = 0; half < 2; half++)
            {
                var group = 2 * pair + half;
                var from = weights.AsSpan(group * Group, Group);
                float largest = 0;
                foreach (var w in from) largest = Math.Max(largest, Math.Abs(w));
                _scales[group] = largest / 7;
                for (var i = 0; i < Group; i++)
                    _weights[pair * Group + i] |= (byte)((int)(largest == 0 ? 8 : 8 + MathF.Round(from[i] * (7 / largest))) << (4 * half));
            }
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
            var w = MemoryMarshal.Cast<byte, Vector256<byte>>(_weights.AsSpan(row * Columns / 2, Columns / 2));
            var scales = _scales.AsSpan(row * Columns / Group, Columns / Group);
            Vector512<float> s0 = default, s1 = default;
            for (var i = 0; i < w.Length; i++)
            {
                var first = Dot(w[i] & Vector256.Create((byte)15), xs[4 * i], xs[4 * i + 1]);
                var second = Dot(w[i] >> 4, xs[4 * i + 2], xs[4 * i + 3]);
                s0 = Vector512.FusedMultiplyAdd(first, Vector512.Create(scales[2 * i]), s0);
                s1 = Vector512.FusedMultiplyAdd(second, Vector512.Create(scales[2 * i + 1]), s1);
            }

            y[row] = Vector512.Sum(s0 + s1);
        }
    }

    // A group's 32 products, added up in pairs.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Dot(Vector256<byte> q, Vector512<float> x0, Vector512<float> x1)
    {
        var centred = (q - Vector256.Create((byte)8)).AsSByte();
        var (low, high) = Vector512.Widen(Vector512.WidenLower(centred.ToVector512Unsafe()));
        return Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(low), x0, Vector512.ConvertToSingle(high) * x1);
    }
}
