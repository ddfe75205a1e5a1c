using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Quantised rows, one after another: the stacked matrices of all experts.</summary>
internal sealed unsafe class QuantizedMatrix : IDisposable
{
    private readonly WeightType _type;
    private readonly int _columns;
    private readonly Tensor _weights, _scales; // bytes [rows, bytes of a row]
    private readonly WeightRows _rows;
    private bool _disposed;

    public QuantizedMatrix(WeightType type, long rows, int columns)
    {
        (_type, _columns) = (type, columns);
        var (blockBytes, scaleBytes) = type == WeightType.Int8
            ? (Int8Format.BlockBytes, Int8Format.ScaleBytes(columns))
            : (Int4Format.BlockBytes, Int4Format.ScaleBytes(columns));
        _weights = Bytes(IntegerBlock.Count(columns) * (long)blockBytes);
        _scales = Bytes(scaleBytes);
        _rows = new((nint)TensorMemory.Address(_weights, "weights"), _weights.shape[1], (nint)TensorMemory.Address(_scales, "scales"), scaleBytes);

        Tensor Bytes(long rowBytes) => LargePages.Advise(empty([rows, rowBytes], dtype: ScalarType.Byte).DetachFromDisposeScope());
    }

    public long ByteCount => _weights.numel() + _scales.numel();

    /// <summary>Where the rows are: as long as this lives.</summary>
    public WeightRows Rows
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _rows;
        }
    }

    /// <summary>Quantises every row of a float32 or bfloat16 tensor <c>[…, columns]</c>.</summary>
    public void Quantize(Tensor source)
    {
        if (_type == WeightType.Int8) Quantize<Int8Format>(source);
        else Quantize<Int4Format>(source);
    }

    /// <summary>Fills a float32 or bfloat16 tensor <c>[…, columns]</c> with the rows from a first one on.</summary>
    public void Dequantize(long firstRow, Tensor target)
    {
        if (_type == WeightType.Int8) Dequantize<Int8Format>(firstRow, target);
        else Dequantize<Int4Format>(firstRow, target);
    }

    public void Dispose()
    {
        _disposed = true;
        _weights.Dispose();
        _scales.Dispose();
    }

    private void Quantize<TFormat>(Tensor source) where TFormat : IIntegerFormat
    {
        var (rows, address, bfloat16) = (Rows, (nint)TensorMemory.Address(source, nameof(source)), source.dtype == ScalarType.BFloat16);
        Parallel.For(0, source.numel() / _columns, () => new float[_columns], (row, _, values) =>
        {
            fixed (float* to = values)
                if (bfloat16) BFloat16Bits.Widen((ushort*)address + row * _columns, to, _columns);
                else new ReadOnlySpan<float>((float*)address + row * _columns, _columns).CopyTo(values);
            TFormat.Quantize(values, rows.Row(row), rows.Scale(row));
            return values;
        }, _ => { });
    }

    private void Dequantize<TFormat>(long firstRow, Tensor target) where TFormat : IIntegerFormat
    {
        var (rows, address, bfloat16) = (Rows, (nint)TensorMemory.Address(target, nameof(target)), target.dtype == ScalarType.BFloat16);
        Parallel.For(0, target.numel() / _columns, () => new float[_columns], (row, _, values) =>
        {
            TFormat.Dequantize(rows.Row(firstRow + row), rows.Scale(firstRow + row), values);
            fixed (float* from = values)
                if (bfloat16) BFloat16Bits.Narrow(from, (ushort*)address + row * _columns, _columns);
                else values.CopyTo(new Span<float>((float*)address + row * _columns, _columns));
            return values;
        }, _ => { });
    }
}
