using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <summary>Kernel for weights in float32 and bfloat16: every weight becomes a float32 in a register, and sums are float32.</summary>
internal readonly unsafe struct FloatRows<TFormat, TLanes, TVector> : IRowKernel
    where TFormat : IFloatFormat
    where TLanes : IFloatLanes<TVector>
{
    // Sixteen sums, four weights and an activation need 21 registers: AVX-512 and NEON have 32, AVX2 16.
    public static int MaxTokens => TLanes.Width == 8 ? 2 : 4;

    public static int Granule => 2 * TLanes.Width;

    public static long ActivationBytes(int columns) => (columns * (long)sizeof(float) + 63) / 64 * 64;

    public static void Prepare(float* values, int start, int end, int columns, byte* row)
    {
        var stepEnd = start + (end - start) / Granule * Granule;
        for (var step = start; step < stepEnd; step += Granule) TFormat.Arrange(values + step, TLanes.Width, (float*)row + step);
        new ReadOnlySpan<float>(values + stepEnd, end - stepEnd).CopyTo(new((float*)row + stepEnd, end - stepEnd));
    }

    public static void Multiply(in Tile tile, int tokens, int start, int end, int columns, float* sums)
    {
        var stepEnd = start + (end - start) / Granule * Granule;
        switch (tokens)
        {
            case 1: OneToken(tile, start, stepEnd, sums); break;
            case 2: TwoTokens(tile, start, stepEnd, sums); break;
            default: FourTokens(tile, start, stepEnd, sums); break;
        }

        for (var i = stepEnd; i < end; i++) AddColumn(tile, tokens, i, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken(in Tile tile, nint start, nint end, float* sums)
    {
        var rows = new Rows(tile);
        var x0 = (float*)tile.Token0;
        var sums0 = new Sums();
        for (var i = start; i < end; i += Granule)
        {
            var weights = rows.First(i);
            sums0.Add(weights, TLanes.Load(x0 + i));
            weights = rows.Second(i);
            sums0.Add(weights, TLanes.Load(x0 + i + TLanes.Width));
        }

        sums0.Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoTokens(in Tile tile, nint start, nint end, float* sums)
    {
        var rows = new Rows(tile);
        float* x0 = (float*)tile.Token0, x1 = (float*)tile.Token1;
        Sums sums0 = new(), sums1 = new();
        for (var i = start; i < end; i += Granule)
        {
            var weights = rows.First(i);
            sums0.Add(weights, TLanes.Load(x0 + i));
            sums1.Add(weights, TLanes.Load(x1 + i));
            weights = rows.Second(i);
            sums0.Add(weights, TLanes.Load(x0 + i + TLanes.Width));
            sums1.Add(weights, TLanes.Load(x1 + i + TLanes.Width));
        }

        sums0.Store(sums);
        sums1.Store(sums + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourTokens(in Tile tile, nint start, nint end, float* sums)
    {
        var rows = new Rows(tile);
        float* x0 = (float*)tile.Token0, x1 = (float*)tile.Token1, x2 = (float*)tile.Token2, x3 = (float*)tile.Token3;
        Sums sums0 = new(), sums1 = new(), sums2 = new(), sums3 = new();
        for (var i = start; i < end; i += Granule)
        {
            var weights = rows.First(i);
            sums0.Add(weights, TLanes.Load(x0 + i));
            sums1.Add(weights, TLanes.Load(x1 + i));
            sums2.Add(weights, TLanes.Load(x2 + i));
            sums3.Add(weights, TLanes.Load(x3 + i));
            weights = rows.Second(i);
            sums0.Add(weights, TLanes.Load(x0 + i + TLanes.Width));
            sums1.Add(weights, TLanes.Load(x1 + i + TLanes.Width));
            sums2.Add(weights, TLanes.Load(x2 + i + TLanes.Width));
            sums3.Add(weights, TLanes.Load(x3 + i + TLanes.Width));
        }

        sums0.Store(sums);
        sums1.Store(sums + 1);
        sums2.Store(sums + 2);
        sums3.Store(sums + 3);
    }

    // What is left of a row whose length is no multiple of the register's.
    private static void AddColumn(in Tile tile, int tokens, int i, float* sums)
    {
        for (var t = 0; t < tokens; t++)
        {
            var x = ((float*)tile.Token(t))[i];
            for (var r = 0; r < 4; r++) sums[4 * r + t] += TFormat.Read(tile.Row(r), i) * x;
        }
    }

    /// <summary>The four rows, and where to prefetch in each.</summary>
    private readonly struct Rows
    {
        private readonly byte* _row0, _row1, _row2, _row3;
        private readonly nint _ahead0, _ahead1, _ahead2, _ahead3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Rows(in Tile tile)
        {
            _row0 = tile.Row0;
            _row1 = tile.Row1;
            _row2 = tile.Row2;
            _row3 = tile.Row3;
            _ahead0 = (nint)tile.Ahead0;
            _ahead1 = (nint)tile.Ahead1;
            _ahead2 = (nint)tile.Ahead2;
            _ahead3 = (nint)tile.Ahead3;
        }

        /// <summary>The first registers of the step that begins in a column; prefetches for both.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Weights First(nint column)
        {
            var offset = column * TFormat.Bytes;
            Prefetch.Lines(_row0 + offset + _ahead0, Granule * TFormat.Bytes);
            Prefetch.Lines(_row1 + offset + _ahead1, Granule * TFormat.Bytes);
            Prefetch.Lines(_row2 + offset + _ahead2, Granule * TFormat.Bytes);
            Prefetch.Lines(_row3 + offset + _ahead3, Granule * TFormat.Bytes);
            return new(
                TFormat.First<TLanes, TVector>(_row0, column), TFormat.First<TLanes, TVector>(_row1, column),
                TFormat.First<TLanes, TVector>(_row2, column), TFormat.First<TLanes, TVector>(_row3, column));
        }

        /// <summary>The second registers of the step.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Weights Second(nint column) => new(
            TFormat.Second<TLanes, TVector>(_row0, column), TFormat.Second<TLanes, TVector>(_row1, column),
            TFormat.Second<TLanes, TVector>(_row2, column), TFormat.Second<TLanes, TVector>(_row3, column));
    }

    /// <summary>A register of each of the four rows.</summary>
    private readonly struct Weights(TVector row0, TVector row1, TVector row2, TVector row3)
    {
        public readonly TVector Row0 = row0, Row1 = row1, Row2 = row2, Row3 = row3;
    }

    /// <summary>The sums of one token with each of the four rows.</summary>
    private struct Sums
    {
        private TVector _row0, _row1, _row2, _row3;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Sums() => _row0 = _row1 = _row2 = _row3 = TLanes.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(in Weights weights, TVector activations)
        {
            _row0 = TLanes.MultiplyAdd(weights.Row0, activations, _row0);
            _row1 = TLanes.MultiplyAdd(weights.Row1, activations, _row1);
            _row2 = TLanes.MultiplyAdd(weights.Row2, activations, _row2);
            _row3 = TLanes.MultiplyAdd(weights.Row3, activations, _row3);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* sums) =>
            (sums[0], sums[4], sums[8], sums[12]) = (TLanes.Sum(_row0), TLanes.Sum(_row1), TLanes.Sum(_row2), TLanes.Sum(_row3));
    }
}

/// <summary>How floating-point weights are read: in steps of two registers of float32 numbers.</summary>
internal unsafe interface IFloatFormat
{
    /// <summary>Bytes of a weight.</summary>
    static abstract int Bytes { get; }

    /// <summary>The weight in a column.</summary>
    static abstract float Read(byte* row, nint column);

    /// <summary>The first register of the step that begins in a column.</summary>
    static abstract TVector First<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector>;

    /// <summary>The second register of the step that begins in a column.</summary>
    static abstract TVector Second<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector>;

    /// <summary>Lays the activations of a step out as they meet its two registers.</summary>
    static abstract void Arrange(float* activations, int width, float* step);
}

/// <summary>32 bits a weight.</summary>
internal readonly unsafe struct Float32Format : IFloatFormat
{
    public static int Bytes => 4;

    public static float Read(byte* row, nint column) => ((float*)row)[column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector First<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> => TLanes.Load((float*)row + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Second<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> =>
        TLanes.Load((float*)row + column + TLanes.Width);

    public static void Arrange(float* activations, int width, float* step) => new ReadOnlySpan<float>(activations, 2 * width).CopyTo(new(step, 2 * width));
}

/// <summary>16 bits a weight: the upper half of a float32.</summary>
/// <remarks>One load brings a step's weights in as pairs. Those at even places become float32 by a shift and those at odd places by clearing the other half,
/// which takes half of the instructions that widening them in order would.</remarks>
internal readonly unsafe struct BFloat16Format : IFloatFormat
{
    public static int Bytes => 2;

    public static float Read(byte* row, nint column) => BitConverter.UInt32BitsToSingle((uint)((ushort*)row)[column] << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector First<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> => TLanes.LoadEvenBFloat16((ushort*)row + column);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Second<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> => TLanes.LoadOddBFloat16((ushort*)row + column);

    public static void Arrange(float* activations, int width, float* step)
    {
        for (var i = 0; i < width; i++) (step[i], step[width + i]) = (activations[2 * i], activations[2 * i + 1]);
    }
}
