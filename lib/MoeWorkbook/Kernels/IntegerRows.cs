using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MoeWorkbook;

/// <summary>Kernel for weights in 8 and 4 bits. Activations become 8-bit integers in groups of 32 with a scale each, so that the intermediate loop multiplies
/// whole numbers only, thirty-two at a time.</summary>
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
    // Sixteen products, four weights and an activation need 21 registers: processors with AVX-512 have 32, others 16.
    public static int MaxTokens => Vector512.IsHardwareAccelerated ? 4 : 2;

    public static int Granule => IntegerBlock.Size;

    public static long ActivationBytes(int columns) => (long)IntegerBlock.Count(columns) * ActivationBlock.Bytes;

    public static void Prepare(float* values, int start, int end, int columns, byte* row)
    {
        for (var column = start; column < end; column += IntegerBlock.Size)
            ActivationBlock.Quantize(values + column, Math.Min(IntegerBlock.Size, end - column), TFormat.ZeroPoint,
                row + column / IntegerBlock.Size * ActivationBlock.Bytes);
    }

    public static void Multiply(in Tile tile, int tokens, int start, int end, int columns, float* sums)
    {
        (start, end) = (start / IntegerBlock.Size, IntegerBlock.Count(end));
        switch (tokens)
        {
            case 1: OneToken(tile, start, end, sums); break;
            case 2: TwoTokens(tile, start, end, sums); break;
            default: FourTokens(tile, start, end, sums); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken(in Tile tile, nint start, nint end, float* sums)
    {
        var sums0 = new Sums();
        for (var block = start; block < end; block++)
        {
            var rows = new Rows(tile, block);
            var x0 = tile.Token0 + block * ActivationBlock.Bytes;
            var products0 = new Products(x0);
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                var weights = rows.First(pair);
                products0.Add(weights, ActivationBlock.Step(x0, 2 * pair));
                weights = rows.Second(pair);
                products0.Add(weights, ActivationBlock.Step(x0, 2 * pair + 1));
            }

            sums0.Add(products0, tile, block, x0);
        }

        sums0.Store(tile, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoTokens(in Tile tile, nint start, nint end, float* sums)
    {
        Sums sums0 = new(), sums1 = new();
        for (var block = start; block < end; block++)
        {
            var rows = new Rows(tile, block);
            byte* x0 = tile.Token0 + block * ActivationBlock.Bytes, x1 = tile.Token1 + block * ActivationBlock.Bytes;
            Products products0 = new(x0), products1 = new(x1);
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                var weights = rows.First(pair);
                products0.Add(weights, ActivationBlock.Step(x0, 2 * pair));
                products1.Add(weights, ActivationBlock.Step(x1, 2 * pair));
                weights = rows.Second(pair);
                products0.Add(weights, ActivationBlock.Step(x0, 2 * pair + 1));
                products1.Add(weights, ActivationBlock.Step(x1, 2 * pair + 1));
            }

            sums0.Add(products0, tile, block, x0);
            sums1.Add(products1, tile, block, x1);
        }

        sums0.Store(tile, sums);
        sums1.Store(tile, sums + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourTokens(in Tile tile, nint start, nint end, float* sums)
    {
        // In memory: the registers are for the products.
        var total = stackalloc Sums[4];
        for (var t = 0; t < 4; t++) total[t] = new();
        for (var block = start; block < end; block++)
        {
            var rows = new Rows(tile, block);
            byte* x0 = tile.Token0 + block * ActivationBlock.Bytes, x1 = tile.Token1 + block * ActivationBlock.Bytes;
            byte* x2 = tile.Token2 + block * ActivationBlock.Bytes, x3 = tile.Token3 + block * ActivationBlock.Bytes;
            Products products0 = new(x0), products1 = new(x1), products2 = new(x2), products3 = new(x3);
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++)
            {
                var weights = rows.First(pair);
                products0.Add(weights, ActivationBlock.Step(x0, 2 * pair));
                products1.Add(weights, ActivationBlock.Step(x1, 2 * pair));
                products2.Add(weights, ActivationBlock.Step(x2, 2 * pair));
                products3.Add(weights, ActivationBlock.Step(x3, 2 * pair));
                weights = rows.Second(pair);
                products0.Add(weights, ActivationBlock.Step(x0, 2 * pair + 1));
                products1.Add(weights, ActivationBlock.Step(x1, 2 * pair + 1));
                products2.Add(weights, ActivationBlock.Step(x2, 2 * pair + 1));
                products3.Add(weights, ActivationBlock.Step(x3, 2 * pair + 1));
            }

            total[0].Add(products0, tile, block, x0);
            total[1].Add(products1, tile, block, x1);
            total[2].Add(products2, tile, block, x2);
            total[3].Add(products3, tile, block, x3);
        }

        for (var t = 0; t < 4; t++) total[t].Store(tile, sums + t);
    }

    /// <summary>A block of each of the four rows.</summary>
    private readonly struct Rows
    {
        private readonly byte* _row0, _row1, _row2, _row3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Rows(in Tile tile, nint block)
        {
            _row0 = tile.Row0 + block * TFormat.BlockBytes;
            _row1 = tile.Row1 + block * TFormat.BlockBytes;
            _row2 = tile.Row2 + block * TFormat.BlockBytes;
            _row3 = tile.Row3 + block * TFormat.BlockBytes;
            Prefetch.Lines(_row0 + tile.Ahead0, TFormat.BlockBytes);
            Prefetch.Lines(_row1 + tile.Ahead1, TFormat.BlockBytes);
            Prefetch.Lines(_row2 + tile.Ahead2, TFormat.BlockBytes);
            Prefetch.Lines(_row3 + tile.Ahead3, TFormat.BlockBytes);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Weights First(int pair) => new(
            TProduct.Weights(TFormat.First(_row0, pair)), TProduct.Weights(TFormat.First(_row1, pair)),
            TProduct.Weights(TFormat.First(_row2, pair)), TProduct.Weights(TFormat.First(_row3, pair)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Weights Second(int pair) => new(
            TProduct.Weights(TFormat.Second(_row0, pair)), TProduct.Weights(TFormat.Second(_row1, pair)),
            TProduct.Weights(TFormat.Second(_row2, pair)), TProduct.Weights(TFormat.Second(_row3, pair)));
    }

    /// <summary>A step of each of the four rows.</summary>
    private readonly struct Weights(Vector256<byte> row0, Vector256<byte> row1, Vector256<byte> row2, Vector256<byte> row3)
    {
        public readonly Vector256<byte> Row0 = row0, Row1 = row1, Row2 = row2, Row3 = row3;
    }

    /// <summary>The sums of a block, of one token with each of the four rows: lane j is group j's.</summary>
    private struct Products
    {
        public Vector256<int> Row0, Row1, Row2, Row3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Products(byte* activations) => Row0 = Row1 = Row2 = Row3 = TProduct.Start(activations);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(in Weights weights, Vector256<sbyte> activations)
        {
            Row0 = TProduct.Add(Row0, weights.Row0, activations);
            Row1 = TProduct.Add(Row1, weights.Row1, activations);
            Row2 = TProduct.Add(Row2, weights.Row2, activations);
            Row3 = TProduct.Add(Row3, weights.Row3, activations);
        }
    }

    /// <summary>The sums of all blocks so far, scaled, of one token with each of the four rows.</summary>
    private struct Sums
    {
        public Vector256<float> Row0, Row1, Row2, Row3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(in Products products, in Tile tile, nint block, byte* activations)
        {
            var scale = ActivationBlock.Scales(activations);
            Row0 = Scaled(TProduct.Total(products.Row0, activations), TFormat.Scales(tile.Scale0, block, scale), Row0);
            Row1 = Scaled(TProduct.Total(products.Row1, activations), TFormat.Scales(tile.Scale1, block, scale), Row1);
            Row2 = Scaled(TProduct.Total(products.Row2, activations), TFormat.Scales(tile.Scale2, block, scale), Row2);
            Row3 = Scaled(TProduct.Total(products.Row3, activations), TFormat.Scales(tile.Scale3, block, scale), Row3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(in Tile tile, float* sums)
        {
            var total = Total();
            sums[0] = total[0] * TFormat.RowScale(tile.Scale0);
            sums[4] = total[1] * TFormat.RowScale(tile.Scale1);
            sums[8] = total[2] * TFormat.RowScale(tile.Scale2);
            sums[12] = total[3] * TFormat.RowScale(tile.Scale3);
        }

        // A row of 4,096 columns has sixteen blocks only: four times the sum of one register would show.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly Vector128<float> Total()
        {
            if (!Avx.IsSupported) return Vector128.Create(Vector256.Sum(Row0), Vector256.Sum(Row1), Vector256.Sum(Row2), Vector256.Sum(Row3));
            var halves = Avx.HorizontalAdd(Avx.HorizontalAdd(Row0, Row1), Avx.HorizontalAdd(Row2, Row3));
            return halves.GetLower() + halves.GetUpper();
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Scaled(Vector256<int> product, Vector256<float> scale, Vector256<float> sum) =>
            Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(product), scale, sum);
    }
}
