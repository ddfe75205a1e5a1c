using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The tensors of a checkpoint as numbers: quantised ones are found together with their scales and read dequantised.</summary>
internal sealed class CheckpointTensors(ShardedCheckpoint checkpoint, (long Rows, long Columns)? blockSize)
{
    private const long DefaultBlock = 128;

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>The tensors that no slice was checked for. Those without elements, such as the projections of no shared experts, have nothing to say.</summary>
    public IEnumerable<string> Unused =>
        checkpoint.Names.Where(name => !_used.Contains(name) && !checkpoint.Find(name)!.Shape.Contains(0)).Order(StringComparer.Ordinal);

    /// <summary>How many tensors there are.</summary>
    public int Count => checkpoint.Names.Count;

    /// <summary>The most elements that any of them can have, at the two 4-bit values a byte of MXFP4.</summary>
    public long MaxElements => checkpoint.Names.Select(name => 2 * checkpoint.Find(name)!.Bytes).DefaultIfEmpty().Max();

    /// <summary>Whether there is a tensor of that name, plain or quantised.</summary>
    public bool Contains(string name) => checkpoint.Find(name) is not null || checkpoint.Find(BlocksOf(name)) is not null;

    /// <summary>Checks that a slice can be read as the model needs it, before anything is allocated.</summary>
    /// <exception cref="CheckpointException">Its shape or type is wrong, or its scales are missing or do not fit.</exception>
    public void Check(TensorSlice slice)
    {
        var shape = checkpoint.Find(slice.Name) is { } entry ? CheckedShape(entry) : CheckedMxFp4Shape(slice.Name);
        if (!shape.SequenceEqual(slice.Shape))
            throw Error(slice.Name, $"has shape {SafetensorsEntry.Text(shape)}; the model that config.json describes needs {SafetensorsEntry.Text(slice.Shape)}.");
    }

    /// <summary>Copies a slice, which was checked, into a view of a parameter.</summary>
    public void CopyTo(TensorSlice slice, Tensor view)
    {
        var entry = checkpoint.Find(slice.Name);
        var isPlain = entry is not null && ScaleOf(entry) is null && !entry.Type.IsFloat8();
        if (isPlain && view.numel() == slice.Shape.Aggregate(1L, (product, size) => product * size))
        {
            checkpoint.CopyTo(slice.Name, view);
            return;
        }

        var numbers = entry is null ? ReadMxFp4(slice.Name, view.dtype) : isPlain ? checkpoint.Read(slice.Name) : ReadScaled(entry, view.dtype);
        var rows = view.numel() / Math.Max(1, slice.Shape.Skip(1).Aggregate(1L, (product, size) => product * size));
        view.copy_(numbers.narrow(0, slice.FirstRow, rows).reshape(view.shape));
    }

    private IReadOnlyList<long> CheckedShape(SafetensorsEntry entry)
    {
        _used.Add(entry.Name);
        if (ScaleOf(entry) is { } scale)
        {
            _used.Add(scale.Name);
            if (!scale.Type.IsFloat()) throw Error(scale.Name, $"is of {scale.Type.FileName()}; scales must be of F64, F32, F16 or BF16.");
            BlockOf(entry, scale);
        }
        else if (!entry.Type.IsFloat() && !entry.Type.IsFloat8())
        {
            throw Error(entry.Name, $"is of {entry.Type.FileName()}; weights must be of F64, F32, F16, BF16, F8_E4M3 or F8_E5M2, or of I8 with a tensor {entry.Name}_scale.");
        }

        return entry.Shape;
    }

    private long[] CheckedMxFp4Shape(string name)
    {
        var blocks = checkpoint.Find(BlocksOf(name))!;
        var scales = checkpoint.Find(ScalesOf(name)) ?? throw Error(ScalesOf(name), $"is missing; {blocks.Name} needs it.");
        _used.Add(blocks.Name);
        _used.Add(scales.Name);
        foreach (var entry in new[] { blocks, scales })
        {
            if (entry.Type != SafetensorsType.UInt8) throw Error(entry.Name, $"is of {entry.Type.FileName()}; MXFP4 blocks and scales must be of U8.");
        }

        if (blocks.Shape is not [var experts, var rows, var groups, 16] || !scales.Shape.SequenceEqual([experts, rows, groups]))
            throw Error(blocks.Name, $"has shape {blocks.ShapeText} and its scales {scales.ShapeText}; [experts, rows, groups, 16] and [experts, rows, groups] are needed.");
        return [experts, 32 * groups, rows];
    }

    /// <summary>The scales of an 8-bit tensor; null where there are none. DeepSeek's <c>_scale_inv</c> is, despite its name, multiplied too.</summary>
    private SafetensorsEntry? ScaleOf(SafetensorsEntry entry) => !entry.Type.IsFloat8() && entry.Type != SafetensorsType.Int8 ? null
        : checkpoint.Find(entry.Name + "_scale_inv") ?? checkpoint.Find(entry.Name + "_scale");

    /// <summary>The rows and columns that share a scale, and the scales' shape with both dimensions written out.</summary>
    private (long Rows, long Columns, long[] ScaleShape) BlockOf(SafetensorsEntry entry, SafetensorsEntry scale)
    {
        if (entry.Shape.ToArray() is not [.. var batch, var rows, var columns]) throw Error(entry.Name, $"has shape {entry.ShapeText} and scales; at least two dimensions are needed.");
        var (down, across) = blockSize ?? (DefaultBlock, DefaultBlock);
        var candidates = new (long Rows, long Columns)[] { (down, across), (rows, columns), (1, columns) };
        foreach (var (blockRows, blockColumns) in candidates)
        {
            if (blockRows == 0 || blockColumns == 0) continue;
            long[] full = [.. batch, Dequantization.Blocks(rows, blockRows), Dequantization.Blocks(columns, blockColumns)];
            var isWithoutOnes = full.Where(size => size != 1).SequenceEqual(scale.Shape.Where(size => size != 1)); // [], [1] and [1, 1] mean the same
            if (isWithoutOnes) return (blockRows, blockColumns, full);
        }

        if (scale.Shape.SequenceEqual([.. batch, rows, scale.Shape.Count == 0 ? 0 : scale.Shape[^1]]) && scale.Shape[^1] > 0 && columns % scale.Shape[^1] == 0)
            return (1, columns / scale.Shape[^1], [.. scale.Shape]);
        throw Error(scale.Name, $"has shape {scale.ShapeText}; for weights of {entry.ShapeText} a scale each {down} × {across} block, row, part of a row or matrix is allowed.");
    }

    private Tensor ReadScaled(SafetensorsEntry entry, ScalarType dtype)
    {
        var codes = checkpoint.Read(entry.Name);
        if (ScaleOf(entry) is not { } scale) return Dequantization.Float8(codes, entry.Type);
        var (rows, columns, shape) = BlockOf(entry, scale);
        return Dequantization.Scaled(codes, entry.Type, checkpoint.Read(scale.Name).view(shape), rows, columns, dtype);
    }

    /// <summary>The numbers in the layout of the plain tensor: MXFP4 stores each matrix transposed.</summary>
    private Tensor ReadMxFp4(string name, ScalarType dtype) =>
        Dequantization.MxFp4(checkpoint.Read(BlocksOf(name)), checkpoint.Read(ScalesOf(name)), dtype).transpose(1, 2);

    private static string BlocksOf(string name) => name + "_blocks";

    private static string ScalesOf(string name) => name + "_scales";

    private CheckpointException Error(string tensor, string problem) => new(checkpoint.DirectoryPath, tensor, problem);
}
