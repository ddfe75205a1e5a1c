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
        if (tokens == 1) OneToken(tile, start / IntegerBlock.Size, IntegerBlock.Count(end), sums);
        else TwoTokens(tile, start / IntegerBlock.Size, IntegerBlock.Count(end), sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken(in Tile tile, int start, int end, float* sums)
    {
        Vector256<float> s00 = default, s10 = default, s20 = default, s30 = default;
        for (nint block = start; block < end; block++)
        {
            byte* w0 = tile.Row0 + block * TFormat.BlockBytes, w1 = tile.Row1 + block * TFormat.BlockBytes;
            byte* w2 = tile.Row2 + block * TFormat.BlockBytes, w3 = tile.Row3 + block * TFormat.BlockBytes;
            var x0 = tile.Token0 + block * ActivationBlock.Bytes;
            Prefetch.Lines(w0 + tile.Ahead, TFormat.BlockBytes);
            Prefetch.Lines(w1 + tile.Ahead, TFormat.BlockBytes);
            Prefetch.Lines(w2 + tile.Ahead, TFormat.BlockBytes);
            Prefetch.Lines(w3 + tile.Ahead, TFormat.BlockBytes);
            Vector256<int> i00 = ActivationBlock.Start(x0), i10 = i00, i20 = i00, i30 = i00;
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                var x = ActivationBlock.Step(x0, 2 * pair);
                i00 = TProduct.Add(i00, TFormat.First(w0, pair), x);
                i10 = TProduct.Add(i10, TFormat.First(w1, pair), x);
                i20 = TProduct.Add(i20, TFormat.First(w2, pair), x);
                i30 = TProduct.Add(i30, TFormat.First(w3, pair), x);
                x = ActivationBlock.Step(x0, 2 * pair + 1);
                i00 = TProduct.Add(i00, TFormat.Second(w0, pair), x);
                i10 = TProduct.Add(i10, TFormat.Second(w1, pair), x);
                i20 = TProduct.Add(i20, TFormat.Second(w2, pair), x);
                i30 = TProduct.Add(i30, TFormat.Second(w3, pair), x);
            }

            var scale = ActivationBlock.Scales(x0);
            s00 = Scaled(i00, TFormat.Scales(tile.Scale0, block, scale), s00);
            s10 = Scaled(i10, TFormat.Scales(tile.Scale1, block, scale), s10);
            s20 = Scaled(i20, TFormat.Scales(tile.Scale2, block, scale), s20);
            s30 = Scaled(i30, TFormat.Scales(tile.Scale3, block, scale), s30);
        }

        sums[0] = Vector256.Sum(s00) * TFormat.RowScale(tile.Scale0);
        sums[4] = Vector256.Sum(s10) * TFormat.RowScale(tile.Scale1);
        sums[8] = Vector256.Sum(s20) * TFormat.RowScale(tile.Scale2);
        sums[12] = Vector256.Sum(s30) * TFormat.RowScale(tile.Scale3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoTokens(in Tile tile, int start, int end, float* sums)
    {
        Vector256<float> s00 = default, s10 = default, s20 = default, s30 = default, s01 = default, s11 = default, s21 = default, s31 = default;
        for (nint block = start; block < end; block++)
        {
            byte* w0 = tile.Row0 + block * TFormat.BlockBytes, w1 = tile.Row1 + block * TFormat.BlockBytes;
            byte* w2 = tile.Row2 + block * TFormat.BlockBytes, w3 = tile.Row3 + block * TFormat.BlockBytes;
            byte* x0 = tile.Token0 + block * ActivationBlock.Bytes, x1 = tile.Token1 + block * ActivationBlock.Bytes;
            Prefetch.Lines(w0 + tile.Ahead, TFormat.BlockBytes);
            Prefetch.Lines(w1 + tile.Ahead, TFormat.BlockBytes);
            Prefetch.Lines(w2 + tile.Ahead, TFormat.BlockBytes);
            Prefetch.Lines(w3 + tile.Ahead, TFormat.BlockBytes);
            Vector256<int> i00 = ActivationBlock.Start(x0), i10 = i00, i20 = i00, i30 = i00;
            Vector256<int> i01 = ActivationBlock.Start(x1), i11 = i01, i21 = i01, i31 = i01;
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                Vector256<byte> a = TFormat.First(w0, pair), b = TFormat.First(w1, pair), c = TFormat.First(w2, pair), d = TFormat.First(w3, pair);
                var x = ActivationBlock.Step(x0, 2 * pair);
                i00 = TProduct.Add(i00, a, x);
                i10 = TProduct.Add(i10, b, x);
                i20 = TProduct.Add(i20, c, x);
                i30 = TProduct.Add(i30, d, x);
                x = ActivationBlock.Step(x1, 2 * pair);
                i01 = TProduct.Add(i01, a, x);
                i11 = TProduct.Add(i11, b, x);
                i21 = TProduct.Add(i21, c, x);
                i31 = TProduct.Add(i31, d, x);
                (a, b, c, d) = (TFormat.Second(w0, pair), TFormat.Second(w1, pair), TFormat.Second(w2, pair), TFormat.Second(w3, pair));
                x = ActivationBlock.Step(x0, 2 * pair + 1);
                i00 = TProduct.Add(i00, a, x);
                i10 = TProduct.Add(i10, b, x);
                i20 = TProduct.Add(i20, c, x);
                i30 = TProduct.Add(i30, d, x);
                x = ActivationBlock.Step(x1, 2 * pair + 1);
                i01 = TProduct.Add(i01, a, x);
                i11 = TProduct.Add(i11, b, x);
                i21 = TProduct.Add(i21, c, x);
                i31 = TProduct.Add(i31, d, x);
            }

            Vector256<float> scale0 = ActivationBlock.Scales(x0), scale1 = ActivationBlock.Scales(x1);
            s00 = Scaled(i00, TFormat.Scales(tile.Scale0, block, scale0), s00);
            s10 = Scaled(i10, TFormat.Scales(tile.Scale1, block, scale0), s10);
            s20 = Scaled(i20, TFormat.Scales(tile.Scale2, block, scale0), s20);
            s30 = Scaled(i30, TFormat.Scales(tile.Scale3, block, scale0), s30);
            s01 = Scaled(i01, TFormat.Scales(tile.Scale0, block, scale1), s01);
            s11 = Scaled(i11, TFormat.Scales(tile.Scale1, block, scale1), s11);
            s21 = Scaled(i21, TFormat.Scales(tile.Scale2, block, scale1), s21);
            s31 = Scaled(i31, TFormat.Scales(tile.Scale3, block, scale1), s31);
        }

        (sums[0], sums[1]) = (Vector256.Sum(s00) * TFormat.RowScale(tile.Scale0), Vector256.Sum(s01) * TFormat.RowScale(tile.Scale0));
        (sums[4], sums[5]) = (Vector256.Sum(s10) * TFormat.RowScale(tile.Scale1), Vector256.Sum(s11) * TFormat.RowScale(tile.Scale1));
        (sums[8], sums[9]) = (Vector256.Sum(s20) * TFormat.RowScale(tile.Scale2), Vector256.Sum(s21) * TFormat.RowScale(tile.Scale2));
        (sums[12], sums[13]) = (Vector256.Sum(s30) * TFormat.RowScale(tile.Scale3), Vector256.Sum(s31) * TFormat.RowScale(tile.Scale3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<int> product, Vector256<float> scale, Vector256<float> sum) =>
        Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(product), scale, sum);
}
