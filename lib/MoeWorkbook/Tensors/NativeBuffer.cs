using System.Runtime.InteropServices;

namespace MoeWorkbook;

/// <summary>Memory that is kept from call to call and grows when a call needs more, so that a call allocates nothing once the largest has been seen.</summary>
internal sealed unsafe class NativeBuffer
{
    // A cache line, and the width of the widest register.
    private const int Alignment = 64;

    private void* _memory;
    private long _bytes;

    ~NativeBuffer() => NativeMemory.AlignedFree(_memory);

    /// <summary>Memory for so many elements, with whatever it held before.</summary>
    public T* Get<T>(long elements) where T : unmanaged
    {
        var bytes = checked(elements * sizeof(T));
        if (bytes > _bytes)
        {
            NativeMemory.AlignedFree(_memory);
            _memory = null;
            _bytes = 0;
            _memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            _bytes = bytes;
        }

        return (T*)_memory;
    }
}
