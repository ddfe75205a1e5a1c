using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MoeWorkbook;

/// <summary>Adds to each 32-bit lane the sum of its four products of an unsigned with a signed byte. Exact.</summary>
internal interface IByteProduct
{
    static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations);
}

/// <summary>One instruction.</summary>
internal readonly struct AvxVnniProduct : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations) =>
        AvxVnni.MultiplyWideningAndAdd(sum, weights, activations);
}

/// <summary>Even and odd bytes apart, as 16-bit numbers. AVX2's own product of bytes would do it in one go but cuts its sums at 32,767, and 2 · 255 · 127 is more.</summary>
internal readonly struct Avx2Product : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations)
    {
        Vector256<short> w = weights.AsInt16(), x = activations.AsInt16();
        var even = Avx2.MultiplyAddAdjacent(w & Vector256.Create((short)0xFF), Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(x, 8), 8));
        var odd = Avx2.MultiplyAddAdjacent(Vector256.ShiftRightLogical(w, 8), Vector256.ShiftRightArithmetic(x, 8));
        return sum + even + odd;
    }
}

/// <summary>The same in operations that .NET has for every processor: a product of an unsigned and a signed byte fits in 16 bits, and two of them are added as the halves of a lane.</summary>
internal readonly struct PortableProduct : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations)
    {
        Vector256<short> w = weights.AsInt16(), x = activations.AsInt16();
        var even = (w & Vector256.Create((short)0xFF)) * Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(x, 8), 8);
        var odd = Vector256.ShiftRightLogical(w, 8) * Vector256.ShiftRightArithmetic(x, 8);
        return sum + Halves(even) + Halves(odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Halves(Vector256<short> products)
    {
        var lanes = products.AsInt32();
        return Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(lanes, 16), 16) + Vector256.ShiftRightArithmetic(lanes, 16);
    }
}
