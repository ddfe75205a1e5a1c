using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => arange(0, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => arange(start, stop, 1, dtype, device, requires_grad);

    public static Tensor arange(Scalar start, Scalar stop, Scalar step, ScalarType? dtype = null, Device? device = null, bool requires_grad = false)
    {
        bool whole = is_integral(start.Type) && is_integral(stop.Type) && is_integral(step.Type);
        return Call("arange.start_step", start, stop, step, dtype ?? (whole ? int64 : _defaultType), Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);
    }

    public static Tensor linspace(double start, double end, long steps, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Call("linspace", start, end, steps, dtype ?? _defaultType, Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);

    public static Tensor logspace(double start, double end, long steps, double @base = 10, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Call("logspace", start, end, steps, @base, dtype ?? _defaultType, Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);

    public static Tensor eye(long rows, long columns = -1, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Call("eye.m", rows, columns < 0 ? rows : columns, dtype ?? _defaultType, Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);

    public static Tensor tril_indices(long row, long col, long offset = 0, ScalarType dtype = ScalarType.Int64, Device? device = null) =>
        Call("tril_indices", row, col, offset, dtype, Arg.None, InitializeDevice(device));

    public static Tensor triu_indices(long row, long col, long offset = 0, ScalarType dtype = ScalarType.Int64, Device? device = null) =>
        Call("triu_indices", row, col, offset, dtype, Arg.None, InitializeDevice(device));

    public static Tensor empty_strided(long[] size, long[] strides, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Call("empty_strided", size, strides, dtype ?? _defaultType, Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);

    public static Tensor randint(long high, Size size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(0, high, size, dtype, device, requires_grad, generator);

    public static Tensor randint(long low, long high, Size size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Call("randint.low_generator", low, high, size.Shape, generator, dtype ?? int64, Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);

    public static Tensor randint(long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(0, high, (Size)size, dtype, device, requires_grad, generator);

    public static Tensor randint(long low, long high, long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        randint(low, high, (Size)size, dtype, device, requires_grad, generator);

    public static Tensor randperm(long n, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        Call("randperm.generator", n, generator, dtype ?? int64, Arg.None, InitializeDevice(device)).requires_grad_(requires_grad);

    public static Tensor normal(double mean, double std, ReadOnlySpan<long> size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, Generator? generator = null) =>
        empty(size, dtype, device).normal_(mean, std, generator).requires_grad_(requires_grad);

    public static Tensor normal(Tensor mean, Tensor std, Generator? generator = null) => Call("normal.Tensor_Tensor", mean, std, generator);

    public static Tensor empty_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like("empty_like", input, dtype, device, requires_grad);

    public static Tensor zeros_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like("zeros_like", input, dtype, device, requires_grad);

    public static Tensor ones_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like("ones_like", input, dtype, device, requires_grad);

    public static Tensor rand_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like("rand_like", input, dtype, device, requires_grad);

    public static Tensor randn_like(Tensor input, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => Like("randn_like", input, dtype, device, requires_grad);

    public static Tensor full_like(Tensor input, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Call("full_like", input, value, dtype ?? input.dtype, Arg.None, device ?? input.device).requires_grad_(requires_grad);

    private static Tensor Like(string op, Tensor input, ScalarType? dtype, Device? device, bool requires_grad) =>
        Call(op, input, dtype ?? input.dtype, Arg.None, device ?? input.device).requires_grad_(requires_grad);

    private static Tensor Filled(string op, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad) =>
        Grad(Call(op, size.ToArray(), dtype ?? _defaultType, Arg.None, InitializeDevice(device)), requires_grad);

    private static Tensor Random(string op, ReadOnlySpan<long> size, ScalarType? dtype, Device? device, bool requires_grad, Generator? generator) =>
        Grad(Call(op, size.ToArray(), generator, dtype ?? _defaultType, Arg.None, InitializeDevice(device)), requires_grad);

    private static Tensor Grad(Tensor tensor, bool requires_grad) => requires_grad ? tensor.requires_grad_() : tensor;

    // ---- from .NET memory ----

    /// <summary>Copies the elements of any .NET array; its shape is the tensor's.</summary>
    public static Tensor from_array(Array rawArray, ScalarType? dtype, Device? device = null, bool requires_grad = false)
    {
        var shape = Enumerable.Range(0, rawArray.Rank).Select(rawArray.GetLongLength).ToArray();
        return FromMemory(ref MemoryMarshal.GetArrayDataReference(rawArray), rawArray.LongLength, TypeOf(rawArray.GetType().GetElementType()!), shape, dtype, device, requires_grad);
    }

    public static Tensor from_array(Array rawArray, Device? device = null) => from_array(rawArray, null, device);

    /// <summary>A tensor that shares the array's memory; offset and count are in the array's elements. Another dtype makes a copy.</summary>
    public static unsafe Tensor frombuffer(Array rawArray, ScalarType dtype, long count = -1, long offset = 0, bool requires_grad = false)
    {
        if (offset < 0 || offset >= rawArray.LongLength) throw new ArgumentException($"invalid value for 'offset': {offset}");
        if (count < 0) count = rawArray.LongLength - offset;
        if (count > rawArray.LongLength - offset) throw new IndexOutOfRangeException($"element count is too large: {count}");
        var type = TypeOf(rawArray.GetType().GetElementType()!);
        var pinned = GCHandle.Alloc(rawArray, GCHandleType.Pinned);
        var data = (byte*)pinned.AddrOfPinnedObject() + offset * type.ElementSize();
        var shared = Wrap(torch_from_blob(data, &count, 1, (int)type, &Unpin, GCHandle.ToIntPtr(pinned)));
        return Grad(type == dtype ? shared : shared.to(dtype, disposeAfter: true), requires_grad);
    }

    [UnmanagedCallersOnly]
    private static void Unpin(nint pinned) => GCHandle.FromIntPtr(pinned).Free();

    /// <summary>Maps a file, or its beginning, as a one-dimensional tensor.</summary>
    public static Tensor from_file(string filename, bool? shared = null, long? size = 0, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        Grad(Call("from_file", filename, shared ?? false, size, dtype ?? _defaultType, Arg.None, InitializeDevice(device)), requires_grad);

    private static Tensor FromArray<T>(T[] values, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requires_grad) where T : unmanaged =>
        FromMemory(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetArrayDataReference(values)), values.LongLength, TypeOf(typeof(T)), shape, dtype, device, requires_grad);

    private static Tensor FromScalar(Scalar value, ScalarType dtype, Device? device, bool requires_grad) => full([], value, dtype, device, requires_grad);

    private static unsafe Tensor FromMemory(ref byte source, long length, ScalarType type, ReadOnlySpan<long> shape, ScalarType? dtype, Device? device, bool requires_grad)
    {
        long elements = 1;
        foreach (long size in shape) elements *= size;
        if (elements > length) throw new ArgumentException($"mismatched total size creating a tensor from an array: {elements} vs. {length}");
        var result = empty(shape, type, CPU);
        long bytes = elements * type.ElementSize();
        if (bytes > 0)
            fixed (byte* from = &source) Buffer.MemoryCopy(from, (void*)result.Pointer, bytes, bytes);
        device = InitializeDevice(device);
        if ((dtype ?? type) != type || device.type != DeviceType.CPU) result = result.to(dtype ?? type, device, disposeAfter: true);
        return Grad(result, requires_grad);
    }
}
