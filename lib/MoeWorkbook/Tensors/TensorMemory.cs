using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Where a tensor's elements lie in memory.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The address of the first element of a contiguous tensor on the CPU; row-major from there on, so that element i lies at address + i · element
    /// size with i a <see cref="long"/>.</summary>
    /// <remarks>
    /// TorchSharp shows memory as a span, and a span cannot be longer than 2³¹ − 1 bytes: of a larger tensor only the
    /// first element is shown, by a view, and the rest is reached from its address. The memory is libtorch's own, which no
    /// garbage collector moves; the caller keeps the tensor alive while it uses the address.
    /// </remarks>
    public static byte* Address(Tensor tensor, string argument)
    {
        if (tensor.device_type != TorchSharp.DeviceType.CPU)
            throw new ArgumentException($"{argument} is on {tensor.device}: a kernel in C# reads the memory of the CPU only. Move it with cpu().", argument);
        if (!tensor.is_contiguous())
            throw new ArgumentException($"{argument} is not contiguous: a kernel in C# reads rows that lie one after another. Copy it with contiguous().", argument);
        if (tensor.numel() * tensor.element_size() <= int.MaxValue) return First(tensor);
        using var flat = tensor.view(-1);
        using var first = flat.narrow(0, 0, 1);
        return First(first);
    }

    /// <summary>The address of the first element of a tensor on the CPU, or of a contiguous copy that belongs to the dispose scope.</summary>
    /// <remarks>For the small tensors of a call: most need no copy, and beside reading one token's weights every call of libtorch costs, for its code is no
    /// longer in the caches.</remarks>
    public static byte* Contiguous(Tensor tensor) => First(tensor.is_contiguous() ? tensor : tensor.contiguous());

    private static byte* First(Tensor tensor) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
}
