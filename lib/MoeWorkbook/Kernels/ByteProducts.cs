using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MoeWorkbook;

/// <summary>The sums of a block: each 32-bit lane is to have the sum of its group's products of stored weights and activations, less the weights' zero point.
/// Exact.</summary>
internal unsafe interface IByteProduct
{
    /// <summary>Stored weights as <see cref="Add"/> takes them.</summary>
    static abstract Vector256<byte> Weights(Vector256<byte> stored);

    /// <summary>What a sum begins with.</summary>
    /// <param name="activations">An <see cref="ActivationBlock"/>.</param>
    static abstract Vector256<int> Start(byte* activations);

    /// <summary>Adds a step: to each lane its four products.</summary>
    static abstract Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations);

    /// <summary>The lanes' sums after a block's steps.</summary>
    /// <param name="sum">What was added up.</param>
    /// <param name="activations">An <see cref="ActivationBlock"/>.</param>
    static abstract Vector256<int> Total(Vector256<int> sum, byte* activations);
}

/// <summary>One instruction.</summary>
internal readonly unsafe struct AvxVnniProduct : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Weights(Vector256<byte> stored) => stored;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(byte* activations) => ActivationBlock.Start(activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations) =>
        AvxVnni.MultiplyWideningAndAdd(sum, weights, activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Total(Vector256<int> sum, byte* activations) => sum;
}

/// <summary>Weights in 8 bits with AVX2, whose product of bytes cuts its sums of two at 32,767. The unsigned factor is |x| and the signed one w·sign(x),
/// neither above 127, so that two products fit; then no zero point is left to take off.</summary>
internal readonly unsafe struct Avx2Product : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Weights(Vector256<byte> stored) => stored ^ Vector256.Create((byte)0x80); // less 128

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(byte* activations) => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations)
    {
        var products = Avx2.MultiplyAddAdjacent(Avx2.Abs(activations), Avx2.Sign(weights.AsSByte(), activations));
        return sum + Avx2.MultiplyAddAdjacent(products, Vector256<short>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Total(Vector256<int> sum, byte* activations) => sum;
}

/// <summary>Weights in 4 bits with AVX2: two products are at most 2 · 15 · 127 = 3,810, so the sums of all eight steps fit in 16 bits, and are made 32 once a
/// block.</summary>
internal readonly unsafe struct Avx2NibbleProduct : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Weights(Vector256<byte> stored) => stored;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(byte* activations) => Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations) =>
        (sum.AsInt16() + Avx2.MultiplyAddAdjacent(weights, activations)).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Total(Vector256<int> sum, byte* activations) =>
        ActivationBlock.Start(activations) + Avx2.MultiplyAddAdjacent(sum.AsInt16(), Vector256<short>.One);
}

/// <summary>In operations that .NET has for every processor: a product of an unsigned and a signed byte fits in 16 bits, and two of them are added as the
/// halves of a lane.</summary>
internal readonly unsafe struct PortableProduct : IByteProduct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Weights(Vector256<byte> stored) => stored;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(byte* activations) => ActivationBlock.Start(activations);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> sum, Vector256<byte> weights, Vector256<sbyte> activations)
    {
        Vector256<short> w = weights.AsInt16(), x = activations.AsInt16();
        var even = (w & Vector256.Create((short)0xFF)) * Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(x, 8), 8);
        var odd = Vector256.ShiftRightLogical(w, 8) * Vector256.ShiftRightArithmetic(x, 8);
        return sum + Halves(even) + Halves(odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Total(Vector256<int> sum, byte* activations) => sum;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Halves(Vector256<short> products)
    {
        var lanes = products.AsInt32();
        return Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(lanes, 16), 16) + Vector256.ShiftRightArithmetic(lanes, 16);
    }
}
