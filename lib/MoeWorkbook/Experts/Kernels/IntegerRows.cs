using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Kernel for weights in 8 and 4 bits. Activations become 8-bit integers in groups of 32 with a scale each, so that the inner loop multiplies whole numbers only, thirty-two at a time.</summary>
/// <remarks>
/// Eight groups make a block of 256, and a block is laid out so that the eight 32-bit lanes of a register belong to one
/// group each: step s holds elements 4s … 4s + 3 of all eight. After eight steps every lane has its group's sum, and eight
/// scales are applied at once. The instruction multiplies unsigned by signed bytes. Weights are therefore stored with an
/// offset z (128 or 8), and Σ (w + z)·x = Σ w·x + z·Σ x: each group's sum begins at −z·Σ x, which depends on the
/// activations alone and is computed once for all rows.
/// </remarks>
internal readonly unsafe struct IntegerRows<TFormat, TProduct> : IRowKernel
    where TFormat : IIntegerFormat
    where TProduct : IByteProduct
{
    public static int MaxTokens => 2;

    public static int Granule => IntegerBlock.Size;

    public static long ActivationBytes(int columns) => (long)IntegerBlock.Count(columns) * ActivationBlock.Bytes;

    public static void Prepare(float* values, int start, int end, int columns, byte* row)
    {
        for (var column = start; column < end; column += IntegerBlock.Size)
            ActivationBlock.Quantize(values + column, Math.Min(IntegerBlock.Size, end - column), TFormat.ZeroPoint, row + column / IntegerBlock.Size * ActivationBlock.Bytes);
    }

    public static void Multiply(in Tile tile, int tokens, int start, int end, int columns, float* sums)
    {
        var (first, last) = (start / IntegerBlock.Size, IntegerBlock.Count(end));
        if (tokens == 1)
        {
            FourRows(tile, first, last, sums);
            return;
        }

        TwoRows(tile.Row0, tile.Row1, tile.Scale0, tile.Scale1, tile, first, last, sums);
        TwoRows(tile.Row2, tile.Row3, tile.Scale2, tile.Scale3, tile, first, last, sums + 8);
    }

    /// <summary>Four rows, one token.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(in Tile tile, int start, int end, float* sums)
    {
        var ahead = (nint)tile.Ahead;
        byte* w0 = tile.Row0 + start * (nint)TFormat.BlockBytes, w1 = tile.Row1 + start * (nint)TFormat.BlockBytes;
        byte* w2 = tile.Row2 + start * (nint)TFormat.BlockBytes, w3 = tile.Row3 + start * (nint)TFormat.BlockBytes;
        var x0 = tile.Token0 + start * (nint)ActivationBlock.Bytes;
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (nint block = start; block < end; block++)
        {
            PrefetchBlock(w0, tile.Scale0, block, ahead);
            PrefetchBlock(w1, tile.Scale1, block, ahead);
            PrefetchBlock(w2, tile.Scale2, block, ahead);
            PrefetchBlock(w3, tile.Scale3, block, ahead);
            Vector256<int> a0 = ActivationBlock.Start(x0), a1 = a0, a2 = a0, a3 = a0;
            Vector256<int> b0 = default, b1 = default, b2 = default, b3 = default;
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                var x = ActivationBlock.Step(x0, 2 * pair);
                a0 = TProduct.Add(a0, TFormat.First(w0, pair), x);
                a1 = TProduct.Add(a1, TFormat.First(w1, pair), x);
                a2 = TProduct.Add(a2, TFormat.First(w2, pair), x);
                a3 = TProduct.Add(a3, TFormat.First(w3, pair), x);
                x = ActivationBlock.Step(x0, 2 * pair + 1);
                b0 = TProduct.Add(b0, TFormat.Second(w0, pair), x);
                b1 = TProduct.Add(b1, TFormat.Second(w1, pair), x);
                b2 = TProduct.Add(b2, TFormat.Second(w2, pair), x);
                b3 = TProduct.Add(b3, TFormat.Second(w3, pair), x);
            }

            var scale = ActivationBlock.Scales(x0);
            s0 = Scaled(a0, b0, TFormat.Scales(tile.Scale0, block, scale), s0);
            s1 = Scaled(a1, b1, TFormat.Scales(tile.Scale1, block, scale), s1);
            s2 = Scaled(a2, b2, TFormat.Scales(tile.Scale2, block, scale), s2);
            s3 = Scaled(a3, b3, TFormat.Scales(tile.Scale3, block, scale), s3);
            w0 += TFormat.BlockBytes;
            w1 += TFormat.BlockBytes;
            w2 += TFormat.BlockBytes;
            w3 += TFormat.BlockBytes;
            x0 += ActivationBlock.Bytes;
        }

        sums[0] = Vector256.Sum(s0) * TFormat.RowScale(tile.Scale0);
        sums[4] = Vector256.Sum(s1) * TFormat.RowScale(tile.Scale1);
        sums[8] = Vector256.Sum(s2) * TFormat.RowScale(tile.Scale2);
        sums[12] = Vector256.Sum(s3) * TFormat.RowScale(tile.Scale3);
    }

    /// <summary>Two rows, two tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoRows(byte* w0, byte* w1, byte* scales0, byte* scales1, in Tile tile, int start, int end, float* sums)
    {
        var ahead = (nint)tile.Ahead;
        w0 += start * (nint)TFormat.BlockBytes;
        w1 += start * (nint)TFormat.BlockBytes;
        byte* x0 = tile.Token0 + start * (nint)ActivationBlock.Bytes, x1 = tile.Token1 + start * (nint)ActivationBlock.Bytes;
        Vector256<float> s00 = default, s01 = default, s10 = default, s11 = default;
        for (nint block = start; block < end; block++)
        {
            PrefetchBlock(w0, scales0, block, ahead);
            PrefetchBlock(w1, scales1, block, ahead);
            Vector256<int> a00 = ActivationBlock.Start(x0), a01 = ActivationBlock.Start(x1), a10 = a00, a11 = a01;
            Vector256<int> b00 = default, b01 = default, b10 = default, b11 = default;
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                Vector256<byte> u = TFormat.First(w0, pair), v = TFormat.First(w1, pair);
                Vector256<sbyte> x = ActivationBlock.Step(x0, 2 * pair), y = ActivationBlock.Step(x1, 2 * pair);
                a00 = TProduct.Add(a00, u, x);
                a01 = TProduct.Add(a01, u, y);
                a10 = TProduct.Add(a10, v, x);
                a11 = TProduct.Add(a11, v, y);
                (u, v) = (TFormat.Second(w0, pair), TFormat.Second(w1, pair));
                (x, y) = (ActivationBlock.Step(x0, 2 * pair + 1), ActivationBlock.Step(x1, 2 * pair + 1));
                b00 = TProduct.Add(b00, u, x);
                b01 = TProduct.Add(b01, u, y);
                b10 = TProduct.Add(b10, v, x);
                b11 = TProduct.Add(b11, v, y);
            }

            s00 = Scaled(a00, b00, TFormat.Scales(scales0, block, ActivationBlock.Scales(x0)), s00);
            s01 = Scaled(a01, b01, TFormat.Scales(scales0, block, ActivationBlock.Scales(x1)), s01);
            s10 = Scaled(a10, b10, TFormat.Scales(scales1, block, ActivationBlock.Scales(x0)), s10);
            s11 = Scaled(a11, b11, TFormat.Scales(scales1, block, ActivationBlock.Scales(x1)), s11);
            w0 += TFormat.BlockBytes;
            w1 += TFormat.BlockBytes;
            x0 += ActivationBlock.Bytes;
            x1 += ActivationBlock.Bytes;
        }

        (sums[0], sums[1]) = (Vector256.Sum(s00) * TFormat.RowScale(scales0), Vector256.Sum(s01) * TFormat.RowScale(scales0));
        (sums[4], sums[5]) = (Vector256.Sum(s10) * TFormat.RowScale(scales1), Vector256.Sum(s11) * TFormat.RowScale(scales1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchBlock(byte* weights, byte* scales, nint block, nint ahead)
    {
        Prefetch.Lines(weights + ahead, TFormat.BlockBytes);
        TFormat.PrefetchScales(scales, block, ahead);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<int> first, Vector256<int> second, Vector256<float> scale, Vector256<float> sum) =>
        Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(TFormat.Total(first, second)), scale, sum);
}
