using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MoeWorkbook;

/// <summary>Kernel for weights in 4 bits and registers of 512 bits: half as many instructions as <see cref="IntegerRows{TFormat,TProduct}"/>, which at 4 bits a weight is slower than memory.</summary>
/// <remarks>
/// The instruction adds two products of bytes as a 16-bit number. Four of these are added before they become 32 bits
/// wide, which is exact: 4 · 2 · 15 · 127 is less than 2¹⁵. A register of weights holds steps 0 and 2 in its low halves
/// and 1 and 3 in its high ones, the next 4 to 7: the activations are laid out in that order, all the even steps first.
/// </remarks>
internal readonly unsafe struct WideInt4Rows : IRowKernel
{
    public static int MaxTokens => 4;

    public static int Granule => IntegerBlock.Size;

    public static long ActivationBytes(int columns) => (long)IntegerBlock.Count(columns) * ActivationBlock.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Prepare(float* values, int start, int end, int columns, byte* row)
    {
        var steps = stackalloc Vector256<byte>[IntegerBlock.Steps];
        for (var column = start; column < end; column += IntegerBlock.Size)
        {
            var block = row + column / IntegerBlock.Size * ActivationBlock.Bytes;
            ActivationBlock.Quantize(values + column, Math.Min(IntegerBlock.Size, end - column), Int4Format.ZeroPoint, block);
            for (var step = 0; step < IntegerBlock.Steps; step++) steps[step] = Vector256.Load(block + 32 * step);
            for (var step = 0; step < IntegerBlock.Steps; step++) steps[step].Store(block + 32 * (step / 2 + step % 2 * (IntegerBlock.Steps / 2)));
        }
    }

    public static void Multiply(in Tile tile, int tokens, int start, int end, int columns, float* sums)
    {
        var (first, last) = (start / IntegerBlock.Size, IntegerBlock.Count(end));
        if (tokens == 4)
        {
            FourTokens(tile, tile.Row0, tile.Scale0, first, last, sums);
            FourTokens(tile, tile.Row1, tile.Scale1, first, last, sums + 4);
            FourTokens(tile, tile.Row2, tile.Scale2, first, last, sums + 8);
            FourTokens(tile, tile.Row3, tile.Scale3, first, last, sums + 12);
            return;
        }

        // Two tokens one after the other: what the second reads is in the nearest cache.
        for (var t = 0; t < tokens; t++) OneToken(tile, tile.Token(t), first, last, sums + t);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken(in Tile tile, byte* token, nint start, nint end, float* sums)
    {
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (var block = start; block < end; block++)
        {
            var x = token + block * ActivationBlock.Bytes;
            s0 = new Weights(w0, block, tile.Ahead).AddProduct(s0, x, tile.Scale0, block);
            s1 = new Weights(w1, block, tile.Ahead).AddProduct(s1, x, tile.Scale1, block);
            s2 = new Weights(w2, block, tile.Ahead).AddProduct(s2, x, tile.Scale2, block);
            s3 = new Weights(w3, block, tile.Ahead).AddProduct(s3, x, tile.Scale3, block);
        }

        (sums[0], sums[4], sums[8], sums[12]) = (Vector256.Sum(s0), Vector256.Sum(s1), Vector256.Sum(s2), Vector256.Sum(s3));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourTokens(in Tile tile, byte* row, byte* scales, nint start, nint end, float* sums)
    {
        byte* x0 = tile.Token0, x1 = tile.Token1, x2 = tile.Token2, x3 = tile.Token3;
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (var block = start; block < end; block++)
        {
            var weights = new Weights(row, block, tile.Ahead);
            var offset = block * ActivationBlock.Bytes;
            s0 = weights.AddProduct(s0, x0 + offset, scales, block);
            s1 = weights.AddProduct(s1, x1 + offset, scales, block);
            s2 = weights.AddProduct(s2, x2 + offset, scales, block);
            s3 = weights.AddProduct(s3, x3 + offset, scales, block);
        }

        (sums[0], sums[1], sums[2], sums[3]) = (Vector256.Sum(s0), Vector256.Sum(s1), Vector256.Sum(s2), Vector256.Sum(s3));
    }

    /// <summary>A block of a row.</summary>
    private readonly struct Weights
    {
        private readonly Vector512<byte> _low0, _low1, _high0, _high1;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Weights(byte* row, nint block, long ahead)
        {
            row += block * Int4Format.BlockBytes;
            Prefetch.Lines(row + ahead, Int4Format.BlockBytes);
            var mask = Vector512.Create((byte)15);
            Vector512<byte> first = Vector512.Load(row), second = Vector512.Load(row + 64);
            (_low0, _low1) = (first & mask, second & mask);
            _high0 = Vector512.ShiftRightLogical(first.AsUInt16(), 4).AsByte() & mask;
            _high1 = Vector512.ShiftRightLogical(second.AsUInt16(), 4).AsByte() & mask;
        }

        /// <summary>Adds scale · weights · activations of each group.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> AddProduct(Vector256<float> sum, byte* activations, byte* scales, nint block)
        {
            var pairs = Avx512BW.MultiplyAddAdjacent(_low0, Vector512.Load((sbyte*)activations))
                + Avx512BW.MultiplyAddAdjacent(_low1, Vector512.Load((sbyte*)activations + 64))
                + (Avx512BW.MultiplyAddAdjacent(_high0, Vector512.Load((sbyte*)activations + 128))
                + Avx512BW.MultiplyAddAdjacent(_high1, Vector512.Load((sbyte*)activations + 192)));
            var fours = Avx512BW.MultiplyAddAdjacent(pairs, Vector512<short>.One);
            var groups = fours.GetLower() + fours.GetUpper() + ActivationBlock.Start(activations);
            return Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(groups), Int4Format.Scales(scales, block, ActivationBlock.Scales(activations)), sum);
        }
    }
}
