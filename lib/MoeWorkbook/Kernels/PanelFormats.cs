using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>How the rows of a format become float32.</summary>
internal unsafe interface IPanelFormat
{
    /// <summary>Whether there is something to convert; where not, rows are multiplied where they are.</summary>
    static abstract bool Converts { get; }

    /// <summary>Converts a piece of a row.</summary>
    /// <param name="row">The whole row.</param>
    /// <param name="start">The first column.</param>
    /// <param name="count">How many.</param>
    /// <param name="values">The result.</param>
    static abstract void Convert(byte* row, int start, int count, float* values);
}

/// <summary>Float32, as it is.</summary>
internal readonly unsafe struct Float32Panel : IPanelFormat
{
    public static bool Converts => false;

    public static void Convert(byte* row, int start, int count, float* values) => throw new NotSupportedException();
}

/// <summary>Bfloat16: the upper half of a float32.</summary>
internal readonly unsafe struct BFloat16Panel : IPanelFormat
{
    public static bool Converts => true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(byte* row, int start, int count, float* values)
    {
        var from = (ushort*)row + start;
        var i = 0;
        for (; i <= count - 8; i += 8) Lanes256.LoadBFloat16(from + i).Store(values + i);
        for (; i < count; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
    }
}
