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
    private static void OneToken(in Tile tile, int start, int end, float* sums)
    {
        nint ahead0 = (nint)tile.Ahead0, ahead1 = (nint)tile.Ahead1, ahead2 = (nint)tile.Ahead2, ahead3 = (nint)tile.Ahead3;
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        var x0 = (float*)tile.Token0;
        TVector s00 = TLanes.Zero, s10 = s00, s20 = s00, s30 = s00;
        for (nint i = start; i < end; i += Granule)
        {
            PrefetchStep(w0, i, ahead0);
            PrefetchStep(w1, i, ahead1);
            PrefetchStep(w2, i, ahead2);
            PrefetchStep(w3, i, ahead3);
            var x = TLanes.Load(x0 + i);
            s00 = TLanes.MultiplyAdd(First(w0, i), x, s00);
            s10 = TLanes.MultiplyAdd(First(w1, i), x, s10);
            s20 = TLanes.MultiplyAdd(First(w2, i), x, s20);
            s30 = TLanes.MultiplyAdd(First(w3, i), x, s30);
            x = TLanes.Load(x0 + i + TLanes.Width);
            s00 = TLanes.MultiplyAdd(Second(w0, i), x, s00);
            s10 = TLanes.MultiplyAdd(Second(w1, i), x, s10);
            s20 = TLanes.MultiplyAdd(Second(w2, i), x, s20);
            s30 = TLanes.MultiplyAdd(Second(w3, i), x, s30);
        }

        (sums[0], sums[4], sums[8], sums[12]) = (TLanes.Sum(s00), TLanes.Sum(s10), TLanes.Sum(s20), TLanes.Sum(s30));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoTokens(in Tile tile, int start, int end, float* sums)
    {
        nint ahead0 = (nint)tile.Ahead0, ahead1 = (nint)tile.Ahead1, ahead2 = (nint)tile.Ahead2, ahead3 = (nint)tile.Ahead3;
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        float* x0 = (float*)tile.Token0, x1 = (float*)tile.Token1;
        TVector s00 = TLanes.Zero, s10 = s00, s20 = s00, s30 = s00, s01 = s00, s11 = s00, s21 = s00, s31 = s00;
        for (nint i = start; i < end; i += Granule)
        {
            PrefetchStep(w0, i, ahead0);
            PrefetchStep(w1, i, ahead1);
            PrefetchStep(w2, i, ahead2);
            PrefetchStep(w3, i, ahead3);
            TVector a = First(w0, i), b = First(w1, i), c = First(w2, i), d = First(w3, i);
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
            (a, b, c, d) = (Second(w0, i), Second(w1, i), Second(w2, i), Second(w3, i));
            x = TLanes.Load(x0 + i + TLanes.Width);
            s00 = TLanes.MultiplyAdd(a, x, s00);
            s10 = TLanes.MultiplyAdd(b, x, s10);
            s20 = TLanes.MultiplyAdd(c, x, s20);
            s30 = TLanes.MultiplyAdd(d, x, s30);
            x = TLanes.Load(x1 + i + TLanes.Width);
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
        nint ahead0 = (nint)tile.Ahead0, ahead1 = (nint)tile.Ahead1, ahead2 = (nint)tile.Ahead2, ahead3 = (nint)tile.Ahead3;
        byte* w0 = tile.Row0, w1 = tile.Row1, w2 = tile.Row2, w3 = tile.Row3;
        float* x0 = (float*)tile.Token0, x1 = (float*)tile.Token1, x2 = (float*)tile.Token2, x3 = (float*)tile.Token3;
        TVector s00 = TLanes.Zero, s10 = s00, s20 = s00, s30 = s00, s01 = s00, s11 = s00, s21 = s00, s31 = s00;
        TVector s02 = s00, s12 = s00, s22 = s00, s32 = s00, s03 = s00, s13 = s00, s23 = s00, s33 = s00;
        for (nint i = start; i < end; i += Granule)
        {
            PrefetchStep(w0, i, ahead0);
            PrefetchStep(w1, i, ahead1);
            PrefetchStep(w2, i, ahead2);
            PrefetchStep(w3, i, ahead3);
            TVector a = First(w0, i), b = First(w1, i), c = First(w2, i), d = First(w3, i);
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
            (a, b, c, d) = (Second(w0, i), Second(w1, i), Second(w2, i), Second(w3, i));
            x = TLanes.Load(x0 + i + TLanes.Width);
            s00 = TLanes.MultiplyAdd(a, x, s00);
            s10 = TLanes.MultiplyAdd(b, x, s10);
            s20 = TLanes.MultiplyAdd(c, x, s20);
            s30 = TLanes.MultiplyAdd(d, x, s30);
            x = TLanes.Load(x1 + i + TLanes.Width);
            s01 = TLanes.MultiplyAdd(a, x, s01);
            s11 = TLanes.MultiplyAdd(b, x, s11);
            s21 = TLanes.MultiplyAdd(c, x, s21);
            s31 = TLanes.MultiplyAdd(d, x, s31);
            x = TLanes.Load(x2 + i + TLanes.Width);
            s02 = TLanes.MultiplyAdd(a, x, s02);
            s12 = TLanes.MultiplyAdd(b, x, s12);
            s22 = TLanes.MultiplyAdd(c, x, s22);
            s32 = TLanes.MultiplyAdd(d, x, s32);
            x = TLanes.Load(x3 + i + TLanes.Width);
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
    private static void PrefetchStep(byte* row, nint i, nint ahead) => Prefetch.Lines(row + i * TFormat.Bytes + ahead, Granule * TFormat.Bytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector First(byte* row, nint i) => TFormat.First<TLanes, TVector>(row, i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Second(byte* row, nint i) => TFormat.Second<TLanes, TVector>(row, i);
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
    public static TVector Second<TLanes, TVector>(byte* row, nint column) where TLanes : IFloatLanes<TVector> => TLanes.Load((float*)row + column + TLanes.Width);

    public static void Arrange(float* activations, int width, float* step) => new ReadOnlySpan<float>(activations, 2 * width).CopyTo(new(step, 2 * width));
}

/// <summary>16 bits a weight: the upper half of a float32.</summary>
/// <remarks>One load brings a step's weights in as pairs. Those at even places become float32 by a shift and those at odd places by clearing the other half, which takes half of the instructions that widening them in order would.</remarks>
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
