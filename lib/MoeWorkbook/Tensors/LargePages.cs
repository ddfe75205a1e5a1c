using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Asks the system to lay memory out in pages of 2 MiB. In pages of 4 KiB the address of every 4,096 bytes that are streamed through must be looked up
/// anew, which takes up to a tenth of the bandwidth.</summary>
internal static unsafe partial class LargePages
{
    /// <summary>Size of a large page, and the alignment at which one can begin.</summary>
    public const int Bytes = 2 << 20;

    private const int HugePageAdvice = 14;

    /// <summary>Asks for memory that nothing was written to yet. It is a wish: where the system has no such pages, nothing happens.</summary>
    public static void Advise(void* start, long bytes)
    {
        if (!OperatingSystem.IsLinux()) return;
        nint first = ((nint)start + Bytes - 1) / Bytes * Bytes, end = ((nint)start + (nint)bytes) / Bytes * Bytes;
        if (first < end) _ = Advise((void*)first, (nuint)(end - first), HugePageAdvice);
    }

    /// <summary>Asks for the memory of a tensor that nothing was written to yet.</summary>
    public static Tensor Advise(Tensor tensor)
    {
        var bytes = tensor.numel() * tensor.element_size();
        if (bytes > Bytes && tensor.device_type == TorchSharp.DeviceType.CPU) Advise(TensorMemory.Address(tensor, nameof(tensor)), bytes);
        return tensor;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint bytes, int advice);
}
