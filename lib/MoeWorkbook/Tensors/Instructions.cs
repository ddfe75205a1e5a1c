using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MoeWorkbook;

/// <summary>How bytes are multiplied.</summary>
internal enum ByteProduct
{
    /// <summary>With operations of every processor.</summary>
    Portable,

    /// <summary>With AVX2.</summary>
    Avx2,

    /// <summary>With AVX-VNNI, whose one instruction does it all.</summary>
    AvxVnni,
}

/// <summary>The instructions that the kernels use.</summary>
/// <param name="VectorBits">Width of the registers for floating point: 512, 256 or 128.</param>
/// <param name="ByteProduct">How bytes are multiplied.</param>
/// <param name="BFloat16Products">Whether libtorch multiplies in bfloat16 clearly faster than in float32.</param>
internal sealed record Instructions(int VectorBits, ByteProduct ByteProduct, bool BFloat16Products = false)
{
    /// <summary>The best that this processor has.</summary>
    public static Instructions Best { get; } = new(
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
        AvxVnni.IsSupported ? ByteProduct.AvxVnni : Avx2.IsSupported ? ByteProduct.Avx2 : ByteProduct.Portable,
        // oneDNN does where there is an instruction for such products, AVX-512 BF16 or AMX, which .NET does not name.
        Vector512.IsHardwareAccelerated && X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7
            && ((X86Base.CpuId(7, 1).Eax >> 5 & 1) == 1 || (X86Base.CpuId(7, 0).Edx >> 22 & 1) == 1));

    /// <summary>What every processor has.</summary>
    public static Instructions Portable { get; } = new(128, ByteProduct.Portable);
}
