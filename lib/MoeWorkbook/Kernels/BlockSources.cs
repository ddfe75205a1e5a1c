using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Blocks of rows of a stack of matrices, in bfloat16.</summary>
internal interface IBlockSource
{
    /// <summary>Columns of a block.</summary>
    int Columns { get; }

    /// <summary>Where a column is; for the columns after a matrix's own, where the zeros are that fill a block up.</summary>
    int Place(int column);

    /// <summary>Rows <c>[rows, columns]</c>, valid until the thread asks for the next.</summary>
    Tensor Block(long firstRow, int rows);

    /// <summary>What a row's products are to be multiplied with.</summary>
    float Scale(long row);
}

/// <summary>Bfloat16 weights as they lie in memory.</summary>
internal sealed class BFloat16Blocks(Tensor stack) : IBlockSource
{
    public int Columns { get; } = (int)stack.shape[^1];

    public int Place(int column) => column;

    public Tensor Block(long firstRow, int rows) => stack.view(-1, Columns).narrow(0, firstRow, rows);

    public float Scale(long row) => 1;
}

/// <summary>Quantised weights, made bfloat16 block by block: 8 bits exactly, for their scale is a whole row's; 4 bits with their scales, rounded, so that none
/// moves by more than 2⁻⁸ of itself.</summary>
internal sealed unsafe class IntegerBlocks<TFormat> : IBlockSource where TFormat : IIntegerFormat
{
    // Rows that are a power of two apart stand in the way of one another in the caches.
    private const int Padding = 64;

    private readonly WeightRows _rows;
    private readonly int _stored;

    public IntegerBlocks(QuantizedMatrix matrix, int columns) => (_rows, _stored) = (matrix.Rows, IntegerBlock.Count(columns) * IntegerBlock.Size);

    public int Columns => _stored + Padding;

    public int Place(int column) => column < _stored ? column / IntegerBlock.Size * IntegerBlock.Size + IntegerBlock.Place(column % IntegerBlock.Size) : column;

    public Tensor Block(long firstRow, int rows)
    {
        var block = BlockMemory.Get(rows, Columns);
        var address = (ushort*)TensorMemory.Address(block, nameof(block));
        for (var r = 0; r < rows; r++, address += Columns)
        {
            Convert(_rows.Row(firstRow + r), _rows.Scale(firstRow + r), address);
            new Span<ushort>(address + _stored, Padding).Clear();
        }

        return block;
    }

    public float Scale(long row) => TFormat.RowScale(_rows.Scale(row));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Convert(byte* weights, byte* scales, ushort* values)
    {
        var lower = Vector512.Create(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
        var upper = Vector512.Create(4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
        for (nint block = 0; block < _stored / IntegerBlock.Size; block++, weights += TFormat.BlockBytes)
        {
            // Four numbers of every group are side by side.
            var scale = TFormat.Scales(scales, block, Vector256<float>.One).ToVector512();
            var (low, high) = (Vector512.Shuffle(scale, lower), Vector512.Shuffle(scale, upper));
            for (var pair = 0; pair < IntegerBlock.Steps / 2; pair++, values += 64)
            {
                var (first, second) = (TFormat.First(weights, pair), TFormat.Second(weights, pair));
                Convert(first.GetLower(), low).Store(values);
                Convert(first.GetUpper(), high).Store(values + 16);
                Convert(second.GetLower(), low).Store(values + 32);
                Convert(second.GetUpper(), high).Store(values + 48);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Convert(Vector128<byte> weights, Vector512<float> scale)
    {
        var values = Vector512.ConvertToSingle(Avx512F.ConvertToVector512Int32(weights) - Vector512.Create(TFormat.ZeroPoint)) * scale;
        // Half a unit more, and the lower half cut off.
        return Avx512F.ConvertToVector256UInt16(Vector512.ShiftRightLogical(values.AsUInt32() + Vector512.Create(0x8000u), 16));
    }
}

/// <summary>Memory for a block, of each thread its own, kept from call to call.</summary>
internal static class BlockMemory
{
    [ThreadStatic]
    private static Tensor? _memory;

    /// <summary>A bfloat16 tensor <c>[rows, columns]</c> with whatever the memory held before.</summary>
    public static Tensor Get(int rows, int columns)
    {
        var size = (long)rows * columns;
        if (_memory is null || _memory.numel() < size)
        {
            _memory?.Dispose();
            _memory = empty([size], dtype: ScalarType.BFloat16).DetachFromDisposeScope();
        }

        return _memory.narrow(0, 0, size).view(rows, columns);
    }
}
