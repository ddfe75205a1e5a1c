using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>How quantised weights are stored. Each is stored as an unsigned number with <see cref="ZeroPoint"/> standing for zero.</summary>
internal unsafe interface IIntegerFormat
{
    static abstract int ZeroPoint { get; }

    /// <summary>Bytes of a block of 256 weights.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Bytes of a row's scales.</summary>
    static abstract int ScaleBytes(int columns);

    /// <summary>The weights of step 2 · pair.</summary>
    static abstract Vector256<byte> First(byte* block, int pair);

    /// <summary>The weights of step 2 · pair + 1.</summary>
    static abstract Vector256<byte> Second(byte* block, int pair);

    /// <summary>The scales of a block's eight groups, times those of the activations.</summary>
    static abstract Vector256<float> Scales(byte* scales, nint block, Vector256<float> activationScales);

    /// <summary>The scale of the whole row; 1 where each group has its own.</summary>
    static abstract float RowScale(byte* scales);

    /// <summary>Quantises a row.</summary>
    static abstract void Quantize(ReadOnlySpan<float> row, byte* weights, byte* scales);

    /// <summary>The row that quantised weights stand for.</summary>
    static abstract void Dequantize(byte* weights, byte* scales, Span<float> row);
}

/// <summary>8 bits a weight and one float32 scale a row: w ≈ s·q with q in −127 … 127 and s = max|w| / 127.</summary>
internal readonly unsafe struct Int8Format : IIntegerFormat
{
    public static int ZeroPoint => 128;

    public static int BlockBytes => IntegerBlock.Size;

    public static int ScaleBytes(int columns) => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> First(byte* block, int pair) => Vector256.Load(block + 64 * pair);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Second(byte* block, int pair) => Vector256.Load(block + 64 * pair + 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* scales, nint block, Vector256<float> activationScales) => activationScales;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float RowScale(byte* scales) => *(float*)scales;

    public static void Quantize(ReadOnlySpan<float> row, byte* weights, byte* scales)
    {
        var max = 0f;
        foreach (var w in row) max = MathF.Max(max, MathF.Abs(w));
        var inverse = max > 0 ? 127 / max : 0;
        *(float*)scales = max / 127;
        new Span<byte>(weights, IntegerBlock.Count(row.Length) * BlockBytes).Fill((byte)ZeroPoint);
        for (var i = 0; i < row.Length; i++) weights[Place(i)] = (byte)(ZeroPoint + (int)MathF.Round(row[i] * inverse));
    }

    public static void Dequantize(byte* weights, byte* scales, Span<float> row)
    {
        var scale = *(float*)scales;
        for (var i = 0; i < row.Length; i++) row[i] = scale * (weights[Place(i)] - ZeroPoint);
    }

    private static int Place(int column) => column / IntegerBlock.Size * BlockBytes + IntegerBlock.Place(column % IntegerBlock.Size);
}

/// <summary>4 bits a weight, two a byte, and a bfloat16 scale for each group of 32: 4.5 bits in all. w ≈ s·q with q in −8 … 7; s has the sign that puts the
/// largest weight at −8.</summary>
/// <remarks>A register of bytes holds step 2 · pair in its low halves and the next step in its high halves.</remarks>
internal readonly unsafe struct Int4Format : IIntegerFormat
{
    public static int ZeroPoint => 8;

    public static int BlockBytes => IntegerBlock.Size / 2;

    public static int ScaleBytes(int columns) => IntegerBlock.Count(columns) * IntegerBlock.Groups * sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> First(byte* block, int pair) => Vector256.Load(block + 32 * pair) & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Second(byte* block, int pair) =>
        Vector256.ShiftRightLogical(Vector256.Load((ushort*)(block + 32 * pair)), 4).AsByte() & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* scales, nint block, Vector256<float> activationScales) =>
        Lanes256.LoadBFloat16((ushort*)scales + block * IntegerBlock.Groups) * activationScales;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float RowScale(byte* scales) => 1;

    public static void Quantize(ReadOnlySpan<float> row, byte* weights, byte* scales)
    {
        const byte twoZeros = 8 | 8 << 4;
        new Span<byte>(weights, IntegerBlock.Count(row.Length) * BlockBytes).Fill(twoZeros);
        new Span<byte>(scales, ScaleBytes(row.Length)).Clear();
        for (var start = 0; start < row.Length; start += IntegerBlock.GroupSize)
        {
            var group = row.Slice(start, Math.Min(IntegerBlock.GroupSize, row.Length - start));
            var largest = 0f;
            foreach (var w in group)
                if (MathF.Abs(w) > MathF.Abs(largest)) largest = w;
            // The weights are divided by the scale as it is stored, so that its rounding adds no error of its own.
            var stored = BFloat16Bits.Narrow(largest / -ZeroPoint);
            ((ushort*)scales)[start / IntegerBlock.GroupSize] = stored;
            var scale = BitConverter.UInt32BitsToSingle((uint)stored << 16);
            for (var i = 0; i < group.Length && scale != 0; i++)
            {
                var q = Math.Clamp(ZeroPoint + (int)MathF.Round(group[i] / scale), 0, 15);
                var (place, shift) = Place(start + i);
                weights[place] = (byte)(weights[place] & ~(15 << shift) | q << shift);
            }
        }
    }

    public static void Dequantize(byte* weights, byte* scales, Span<float> row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            var scale = BitConverter.UInt32BitsToSingle((uint)((ushort*)scales)[i / IntegerBlock.GroupSize] << 16);
            var (place, shift) = Place(i);
            row[i] = scale * ((weights[place] >> shift & 15) - ZeroPoint);
        }
    }

    private static (int Byte, int Shift) Place(int column)
    {
        var (block, inBlock) = Math.DivRem(column, IntegerBlock.Size);
        var (step, inStep) = Math.DivRem(IntegerBlock.Place(inBlock), 32);
        return (block * BlockBytes + step / 2 * 32 + inStep, step % 2 * 4);
    }
}
