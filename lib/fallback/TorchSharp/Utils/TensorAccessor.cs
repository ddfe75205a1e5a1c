using System.Collections;
using static TorchSharp.torch;

namespace TorchSharp.Utils;

/// <summary>The elements of a tensor in CPU memory, in row-major order whatever its strides.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private readonly Tensor _tensor;
    private readonly T* _data;

    internal TensorAccessor(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU) throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        this._tensor = tensor;
        _data = (T*)tensor.Pointer;
    }

    public long Count => _tensor.numel();

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get => *At(indices);
        set => *At(indices) = value;
    }

    private T* At(long[] indices)
    {
        long[] shape = _tensor.shape, stride = _tensor.stride();
        if (indices.Length == 1 && shape.Length != 1) return _data + Offset(indices[0], shape, stride);
        if (indices.Length != shape.Length) throw new ArgumentException($"{shape.Length} indices are needed, not {indices.Length}.", nameof(indices));
        long offset = 0;
        for (int k = 0; k < indices.Length; k++)
        {
            if ((ulong)indices[k] >= (ulong)shape[k]) throw new IndexOutOfRangeException($"Index {indices[k]} is outside of dimension {k}, which has {shape[k]} elements.");
            offset += indices[k] * stride[k];
        }
        return _data + offset;
    }

    /// <summary>Where the element lies that is the <paramref name="index"/>-th in row-major order.</summary>
    private static long Offset(long index, long[] shape, long[] stride)
    {
        long offset = 0;
        for (int k = shape.Length - 1; k >= 0; k--) (index, offset) = (index / shape[k], offset + index % shape[k] * stride[k]);
        return index == 0 ? offset : throw new IndexOutOfRangeException("The index is greater than the number of elements in the tensor");
    }

    public T[] ToArray()
    {
        var result = new T[Count];
        CopyTo(result);
        return result;
    }

    public Array ToNDArray()
    {
        var shape = _tensor.shape;
        if (shape.Length < 2) return ToArray();
        var result = Array.CreateInstance(typeof(T), shape);
        CopyTo(new Span<T>(System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.CompilerServices.Unsafe.As<byte, T>(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(result))), result.Length));
        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var target = array[arrayIndex..];
        int count = (int)Math.Min(target.Length, Count - tensorIndex);
        if (_tensor.is_contiguous()) new ReadOnlySpan<T>(_data + tensorIndex, count).CopyTo(target);
        else
        {
            long[] shape = _tensor.shape, stride = _tensor.stride();
            for (int k = 0; k < count; k++) target[k] = _data[Offset(tensorIndex + k, shape, stride)];
        }
        GC.KeepAlive(_tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = array[arrayIndex..];
        int count = (int)Math.Min(source.Length, Count - tensorIndex);
        if (_tensor.is_contiguous()) source[..count].CopyTo(new Span<T>(_data + tensorIndex, count));
        else
        {
            long[] shape = _tensor.shape, stride = _tensor.stride();
            for (int k = 0; k < count; k++) _data[Offset(tensorIndex + k, shape, stride)] = source[k];
        }
        GC.KeepAlive(_tensor);
    }

    public IEnumerator<T> GetEnumerator() => ToArray().AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() { }
}
