using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>How the rows of a format become float32, in the order in which they lie in memory.</summary>
internal unsafe interface IPanelFormat
{
    /// <summary>Whether there is something to convert; where not, rows are multiplied where they are.</summary>
    static abstract bool Converts { get; }

    /// <summary>Columns of a row as it is stored.</summary>
    static abstract int Columns(int columns);

    /// <summary>Where a column is stored.</summary>
    static abstract int Place(int column);

    /// <summary>Converts a piece of a row.</summary>
    /// <param name="row">The whole row.</param>
    /// <param name="scales">Its scales.</param>
    /// <param name="start">The first stored column, a multiple of 256.</param>
    /// <param name="count">How many.</param>
    /// <param name="values">The result.</param>
    static abstract void Convert(byte* row, byte* scales, int start, int count, float* values);
}

/// <summary>Float32, as it is.</summary>
internal readonly unsafe struct Float32Panel : IPanelFormat
{
    public static bool Converts => false;

    public static int Columns(int columns) => columns;

    public static int Place(int column) => column;

    public static void Convert(byte* row, byte* scales, int start, int count, float* values) => throw new NotSupportedException();
}

/// <summary>Bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Panel : IPanelFormat
{
    public static bool Converts => true;

    public static int Columns(int columns) => columns;

    public static int Place(int column) => column;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(byte* row, byte* scales, int start, int count, float* values)
    {
        var from = (ushort*)row + start;
        var i = 0;
        for (; i <= count - 8; i += 8) Lanes256.LoadBFloat16(from + i).Store(values + i);
        for (; i < count; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
    }
}

/// <summary>8 and 4 bits, in blocks of 256 whose order is <see cref="IntegerBlock"/>'s.</summary>
internal readonly unsafe struct IntegerPanel<TFormat> : IPanelFormat where TFormat : IIntegerFormat
{
    public static bool Converts => true;

    public static int Columns(int columns) => IntegerBlock.Count(columns) * IntegerBlock.Size;

    public static int Place(int column) => column / IntegerBlock.Size * IntegerBlock.Size + IntegerBlock.Place(column % IntegerBlock.Size);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(byte* row, byte* scales, int start, int count, float* values)
    {
        var rowScale = Vector256.Create(TFormat.RowScale(scales));
        for (var block = start / IntegerBlock.Size; block < (start + count) / IntegerBlock.Size; block++)
        {
            var weights = row + (long)block * TFormat.BlockBytes;
            // Four numbers of every group are side by side.
            var scale = TFormat.Scales(scales, block, rowScale);
            var scale01 = Vector256.Shuffle(scale, Vector256.Create(0, 0, 0, 0, 1, 1, 1, 1));
            var scale23 = Vector256.Shuffle(scale, Vector256.Create(2, 2, 2, 2, 3, 3, 3, 3));
            var scale45 = Vector256.Shuffle(scale, Vector256.Create(4, 4, 4, 4, 5, 5, 5, 5));
            var scale67 = Vector256.Shuffle(scale, Vector256.Create(6, 6, 6, 6, 7, 7, 7, 7));
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++, values += 64)
            {
                Store(TFormat.First(weights, pair), scale01, scale23, scale45, scale67, values);
                Store(TFormat.Second(weights, pair), scale01, scale23, scale45, scale67, values + 32);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<byte> step, Vector256<float> scale01, Vector256<float> scale23, Vector256<float> scale45, Vector256<float> scale67, float* values)
    {
        var zero = Vector256.Create(TFormat.ZeroPoint);
        var (low, high) = Vector256.Widen(step);
        var (a, b) = Vector256.Widen(low);
        var (c, d) = Vector256.Widen(high);
        (Vector256.ConvertToSingle(a.AsInt32() - zero) * scale01).Store(values);
        (Vector256.ConvertToSingle(b.AsInt32() - zero) * scale23).Store(values + 8);
        (Vector256.ConvertToSingle(c.AsInt32() - zero) * scale45).Store(values + 16);
        (Vector256.ConvertToSingle(d.AsInt32() - zero) * scale67).Store(values + 24);
    }
}
