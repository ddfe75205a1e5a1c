using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>Between bfloat16 and float32: a bfloat16 number is the upper half of a float32.</summary>
internal static unsafe class BFloat16Bits
{
    /// <summary>Exact.</summary>
    public static void Widen(ushort* from, float* to, int count)
    {
        for (var i = 0; i < count; i++) to[i] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16);
    }

    /// <summary>Rounds to the nearest, ties to even, as libtorch does.</summary>
    public static void Narrow(float* from, ushort* to, int count)
    {
        for (var i = 0; i < count; i++) to[i] = Narrow(from[i]);
    }

    /// <inheritdoc cref="Narrow(float*, ushort*, int)" />
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrow(Vector512<float> values)
    {
        var bits = values.AsUInt32();
        var rounded = Vector512.ShiftRightLogical(bits + Vector512.Create(0x7FFFu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One), 16);
        rounded = Vector512.ConditionalSelect(Vector512.IsNaN(values).AsUInt32(), Vector512.Create(0x7FC0u), rounded);
        return Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
    }

    /// <inheritdoc cref="Narrow(float*, ushort*, int)" />
    public static ushort Narrow(float value)
    {
        if (float.IsNaN(value)) return 0x7FC0;
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
    }
}
