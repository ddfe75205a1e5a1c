using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <summary>Kernel for weights in float32 and bfloat16: every weight becomes a float32 in a register, and sums are float32.</summary>
internal readonly unsafe struct FloatRows<TFormat, TLanes, TVector> : IRowKernel
    where TFormat : IFloatFormat
    where TLanes : IFloatLanes<TVector>
{
    // Sixteen sums, four weights and an activation need 21 registers: AVX-512 and NEON have 32, AVX2 16.
    public static int MaxTokens => TLanes.Width == 8 ? 2 : 4;

    public static int Granule => TLanes.Width;

    public static long ActivationBytes(int columns) => (columns * (long)sizeof(float) + 63) / 64 * 64;

    public static void Prepare(float* values, int start, int end, int columns, byte* row) =>
        new ReadOnlySpan<float>(values + start, end - start).CopyTo(new((float*)row + start, end - start));

    public static void Multiply(in Tile tile, int tokens, int start, int end, int columns, float* sums)
    {
        var vectorEnd = start + (end - start) / Granule * Granule;
        switch (tokens)
        {
            case 1: OneToken(tile, start, vectorEnd, sums); break;
            case 2: TwoTokens(tile, start, vectorEnd, sums); break;
            default: FourTokens(tile, start, vectorEnd, sums); break;
        }

        for (var i = vectorEnd; i < end; i++) AddColumn(tile, tokens, i, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneToken(in Tile tile, int start, int end, float* sums)
    {
        var ahead = (nint)tile.Ahead;
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        var x0 = (float*)tile.Token0;
        TVector s00 = TLanes.Zero, s10 = s00, s20 = s00, s30 = s00;
        for (nint i = start; i < end; i += TLanes.Width)
        {
            var x = TLanes.Load(x0 + i);
            s00 = TLanes.MultiplyAdd(Load(w0, i, ahead), x, s00);
            s10 = TLanes.MultiplyAdd(Load(w1, i, ahead), x, s10);
            s20 = TLanes.MultiplyAdd(Load(w2, i, ahead), x, s20);
            s30 = TLanes.MultiplyAdd(Load(w3, i, ahead), x, s30);
        }

        (sums[0], sums[4], sums[8], sums[12]) = (TLanes.Sum(s00), TLanes.Sum(s10), TLanes.Sum(s20), TLanes.Sum(s30));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoTokens(in Tile tile, int start, int end, float* sums)
    {
        var ahead = (nint)tile.Ahead;
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        float* x0 = (float*)tile.Token0, x1 = (float*)tile.Token1;
        TVector s00 = TLanes.Zero, s10 = s00, s20 = s00, s30 = s00, s01 = s00, s11 = s00, s21 = s00, s31 = s00;
        for (nint i = start; i < end; i += TLanes.Width)
        {
            TVector a = Load(w0, i, ahead), b = Load(w1, i, ahead), c = Load(w2, i, ahead), d = Load(w3, i, ahead);
            var x = TLanes.Load(x0 + i);
            s00 = TLanes.MultiplyAdd(a, x, s00);
            s10 = TLanes.MultiplyAdd(b, x, s10);
            s20 = TLanes.MultiplyAdd(c, x, s20);
            s30 = TLanes.MultiplyAdd(d, x, s30);
            x = TLanes.Load(x1 + i);
            s01 = TLanes.MultiplyAdd(a, x, s01);
            s11 = TLanes.MultiplyAdd(b, x, s11);
            s21 = TLanes.MultiplyAdd(c, x, s21);
            s31 = TLanes.MultiplyAdd(d, x, s31);
        }

        (sums[0], sums[4], sums[8], sums[12]) = (TLanes.Sum(s00), TLanes.Sum(s10), TLanes.Sum(s20), TLanes.Sum(s30));
        (sums[1], sums[5], sums[9], sums[13]) = (TLanes.Sum(s01), TLanes.Sum(s11), TLanes.Sum(s21), TLanes.Sum(s31));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourTokens(in Tile tile, int start, int end, float* sums)
    {
        var ahead = (nint)tile.Ahead;
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        float* x0 = (float*)tile.Token0, x1 = (float*)tile.Token1, x2 = (float*)tile.Token2, x3 = (float*)tile.Token3;
        TVector s00 = TLanes.Zero, s10 = s00, s20 = s00, s30 = s00, s01 = s00, s11 = s00, s21 = s00, s31 = s00;
        TVector s02 = s00, s12 = s00, s22 = s00, s32 = s00, s03 = s00, s13 = s00, s23 = s00, s33 = s00;
        for (nint i = start; i < end; i += TLanes.Width)
        {
            TVector a = Load(w0, i, ahead), b = Load(w1, i, ahead), c = Load(w2, i, ahead), d = Load(w3, i, ahead);
            var x = TLanes.Load(x0 + i);
            s00 = TLanes.MultiplyAdd(a, x, s00);
            s10 = TLanes.MultiplyAdd(b, x, s10);
            s20 = TLanes.MultiplyAdd(c, x, s20);
            s30 = TLanes.MultiplyAdd(d, x, s30);
            x = TLanes.Load(x1 + i);
            s01 = TLanes.MultiplyAdd(a, x, s01);
            s11 = TLanes.MultiplyAdd(b, x, s11);
            s21 = TLanes.MultiplyAdd(c, x, s21);
            s31 = TLanes.MultiplyAdd(d, x, s31);
            x = TLanes.Load(x2 + i);
            s02 = TLanes.MultiplyAdd(a, x, s02);
            s12 = TLanes.MultiplyAdd(b, x, s12);
            s22 = TLanes.MultiplyAdd(c, x, s22);
            s32 = TLanes.MultiplyAdd(d, x, s32);
            x = TLanes.Load(x3 + i);
            s03 = TLanes.MultiplyAdd(a, x, s03);
            s13 = TLanes.MultiplyAdd(b, x, s13);
            s23 = TLanes.MultiplyAdd(c, x, s23);
            s33 = TLanes.MultiplyAdd(d, x, s33);
        }

        (sums[0], sums[4], sums[8], sums[12]) = (TLanes.Sum(s00), TLanes.Sum(s10), TLanes.Sum(s20), TLanes.Sum(s30));
        (sums[1], sums[5], sums[9], sums[13]) = (TLanes.Sum(s01), TLanes.Sum(s11), TLanes.Sum(s21), TLanes.Sum(s31));
        (sums[2], sums[6], sums[10], sums[14]) = (TLanes.Sum(s02), TLanes.Sum(s12), TLanes.Sum(s22), TLanes.Sum(s32));
        (sums[3], sums[7], sums[11], sums[15]) = (TLanes.Sum(s03), TLanes.Sum(s13), TLanes.Sum(s23), TLanes.Sum(s33));
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Load(byte* row, nint i, nint ahead)
    {
        Prefetch.Line(row + i * TFormat.Bytes + ahead);
        return TFormat.Load<TLanes, TVector>(row, i);
    }
}

/// <summary>How floating-point weights are read.</summary>
internal unsafe interface IFloatFormat
{
    /// <summary>Bytes of a weight.</summary>
    static abstract int Bytes { get; }

    /// <summary>The weight in a column.</summary>
    static abstract float Read(byte* row, nint column);

    /// <summary>A register full of weights from a column on.</summary>
    static abstract TVector Load<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector>;
}

/// <summary>32 bits a weight.</summary>
internal readonly unsafe struct Float32Format : IFloatFormat
{
    public static int Bytes => 4;

    public static float Read(byte* row, nint column) => ((float*)row)[column];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> => TLanes.Load((float*)row + column);
}

/// <summary>16 bits a weight: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Format : IFloatFormat
{
    public static int Bytes => 2;

    public static float Read(byte* row, nint column) => BitConverter.UInt32BitsToSingle((uint)((ushort*)row)[column] << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Load<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> => TLanes.LoadBFloat16((ushort*)row + column);
}
