using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>From the compressed forms in which weights are published to numbers: 8-bit floats, 8-bit integers with scales, and MXFP4.</summary>
internal static class Dequantization
{
    /// <summary>Values that share one scale in MXFP4.</summary>
    private const int MxFp4Group = 32;

    /// <summary>Rows that are converted at once, so that the float32 intermediate stays small.</summary>
    private const int RowsAtOnce = 256;

    /// <summary>The sixteen values of e2m1, a 4-bit float (Open Compute Project 2023, "Microscaling formats", section 5.3.3).</summary>
    private static readonly float[] _e2m1 = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6];

    /// <summary>Decodes 8-bit floats: (−1)^s · 2^(e − bias) · 1.m, and 2^(1 − bias) · 0.m where e is 0 (Micikevicius et al. 2022, table 1).</summary>
    /// <param name="codes">The bytes, of any shape.</param>
    /// <param name="type"><see cref="SafetensorsType.Float8E4M3"/> or <see cref="SafetensorsType.Float8E5M2"/>.</param>
    /// <returns>Their values in float32, of the same shape; exact.</returns>
    /// <exception cref="ArgumentException">The tensor is not of bytes, or the type is not one of the two.</exception>
    public static Tensor Float8(Tensor codes, SafetensorsType type)
    {
        ArgumentNullException.ThrowIfNull(codes);
        if (!type.IsFloat8()) throw new ArgumentException($"The type is {type}; Float8E4M3 and Float8E5M2 are allowed.", nameof(type));
        return Lookup(codes, Enumerable.Range(0, 256).Select(code => Float8Value((byte)code, type)));
    }

    /// <summary>The value of one 8-bit float.</summary>
    /// <param name="code">The byte: sign, exponent, mantissa from its highest bit.</param>
    /// <param name="type"><see cref="SafetensorsType.Float8E4M3"/> (bias 7; only S.1111.111 is no number, and there are no infinities) or
    /// <see cref="SafetensorsType.Float8E5M2"/> (bias 15; as IEEE).</param>
    public static float Float8Value(byte code, SafetensorsType type)
    {
        var (mantissaBits, bias) = type == SafetensorsType.Float8E4M3 ? (3, 7) : (2, 15);
        int exponent = (code & 0x7F) >> mantissaBits, mantissa = code & ((1 << mantissaBits) - 1);
        var fraction = (float)mantissa / (1 << mantissaBits);
        var magnitude = (code & 0x7F, type) switch
        {
            (0x7F, SafetensorsType.Float8E4M3) => float.NaN,
            (0x7C, SafetensorsType.Float8E5M2) => float.PositiveInfinity,
            ( > 0x7C, SafetensorsType.Float8E5M2) => float.NaN,
            _ when exponent == 0 => MathF.ScaleB(fraction, 1 - bias),
            _ => MathF.ScaleB(1 + fraction, exponent - bias),
        };
        return (code & 0x80) == 0 ? magnitude : -magnitude;
    }

    /// <summary>Decodes weights with one scale for each block: value = code · scale. A block of 128 × 128 is DeepSeek-V3's <c>weight_scale_inv</c> (2024,
    /// section 3.3.2); a row, part of a row, or the whole matrix are the strategies channel, group and tensor of compressed-tensors'
    /// <c>weight_scale</c>.</summary>
    /// <param name="codes">8-bit floats as their bytes, or 8-bit signed integers; <c>[…, rows, columns]</c>.</param>
    /// <param name="type">What the codes are: <see cref="SafetensorsType.Float8E4M3"/>, <see cref="SafetensorsType.Float8E5M2"/> or
    /// <see cref="SafetensorsType.Int8"/>.</param>
    /// <param name="scales">The scales, <c>[…, ⌈rows / block rows⌉, ⌈columns / block columns⌉]</c>.</param>
    /// <param name="blockRows">Rows of a block.</param>
    /// <param name="blockColumns">Columns of a block.</param>
    /// <param name="dtype">The type of the result; the product is computed in float32.</param>
    /// <returns><c>[…, rows, columns]</c>.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together, or the type of the codes is another.</exception>
    public static Tensor Scaled(Tensor codes, SafetensorsType type, Tensor scales, long blockRows, long blockColumns, ScalarType dtype = ScalarType.Float32)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockRows);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockColumns);
        if (!type.IsFloat8() && type != SafetensorsType.Int8) throw new ArgumentException($"The type is {type}; Float8E4M3, Float8E5M2 and Int8 are allowed.", nameof(type));
        if (codes.shape is not [.. var batch, var rows, var columns])
            throw new ArgumentException($"codes has shape {SafetensorsEntry.Text(codes.shape)}; at least two dimensions are needed.", nameof(codes));
        long[] needed = [.. batch, Blocks(rows, blockRows), Blocks(columns, blockColumns)];
        if (!scales.shape.SequenceEqual(needed))
        {
            throw new ArgumentException(
                $"scales has shape {SafetensorsEntry.Text(scales.shape)}; codes of {SafetensorsEntry.Text(codes.shape)} in blocks of {blockRows} × {blockColumns} "
                + $"need {SafetensorsEntry.Text(needed)}.", nameof(scales));
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var result = empty(codes.shape, dtype: dtype, device: codes.device);
        if (result.numel() == 0) return result.MoveToOuterDisposeScope();
        var (flatCodes, flatScales, flatResult) =
            (codes.reshape(-1, rows, columns), scales.reshape(-1, needed[^2], needed[^1]), result.view(-1, rows, columns));
        var blocksAtOnce = Math.Max(1, RowsAtOnce / blockRows);
        for (var matrix = 0L; matrix < flatCodes.shape[0]; matrix++)
        {
            for (var block = 0L; block < needed[^2]; block += blocksAtOnce)
            {
                using var part = NewDisposeScope();
                var first = block * blockRows;
                var count = Math.Min(blocksAtOnce * blockRows, rows - first);
                var values = flatCodes.select(0, matrix).narrow(0, first, count); // [count, columns]
                values = type == SafetensorsType.Int8 ? values.to(ScalarType.Float32) : Float8(values, type);
                var factors = flatScales.select(0, matrix).narrow(0, block, Blocks(count, blockRows)).to(ScalarType.Float32)
                    .repeat_interleave(blockRows, 0).narrow(0, 0, count)
                    .repeat_interleave(blockColumns, 1).narrow(1, 0, columns); // [count, columns]
                flatResult.select(0, matrix).narrow(0, first, count).copy_(values * factors);
            }
        }

        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Decodes MXFP4: groups of 32 4-bit floats (e2m1) with one power of two each (Open Compute Project 2023, "Microscaling formats"), as gpt-oss
    /// stores its experts.</summary>
    /// <param name="blocks">Two values a byte, the first in the low half; bytes <c>[experts, rows, groups, 16]</c>.</param>
    /// <param name="scales">Exponents biased by 127; bytes <c>[experts, rows, groups]</c>. 255 is no number.</param>
    /// <param name="dtype">The type of the result.</param>
    /// <returns><c>[experts, rows, 32·groups]</c>.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit together, or a tensor is not of bytes.</exception>
    public static Tensor MxFp4(Tensor blocks, Tensor scales, ScalarType dtype = ScalarType.Float32)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentNullException.ThrowIfNull(scales);
        if (blocks.shape is not [var experts, var rows, var groups, MxFp4Group / 2] || !scales.shape.SequenceEqual([experts, rows, groups]))
        {
            throw new ArgumentException(
                $"blocks has shape {SafetensorsEntry.Text(blocks.shape)} and scales {SafetensorsEntry.Text(scales.shape)}; [experts, rows, groups, 16] and [experts, rows, groups] are needed.", nameof(blocks));
        }

        var pairs = Enumerable.Range(0, 256).SelectMany(code => new[] { _e2m1[code & 0xF], _e2m1[code >> 4] });
        var powers = Enumerable.Range(0, 256).Select(exponent => exponent == 255 ? float.NaN : MathF.ScaleB(1, exponent - 127));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var result = empty([experts, rows, MxFp4Group * groups], dtype: dtype, device: blocks.device);
        for (var expert = 0L; expert < experts; expert++)
        {
            using var part = NewDisposeScope();
            var values = Lookup(blocks.select(0, expert), pairs).flatten(-2, -1); // [rows, groups, 32]
            var factors = Lookup(scales.select(0, expert), powers).unsqueeze(-1); // [rows, groups, 1]
            result.select(0, expert).copy_((values * factors).flatten(-2, -1));
        }

        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Number of blocks that cover a size.</summary>
    internal static long Blocks(long size, long block) => size / block + (size % block == 0 ? 0 : 1);

    /// <summary>For each byte its entries in a table of 256 rows: <c>[…]</c> where a row is one number, else <c>[…, row]</c>.</summary>
    private static Tensor Lookup(Tensor codes, IEnumerable<float> table)
    {
        if (codes.dtype != ScalarType.Byte) throw new ArgumentException($"codes has type {codes.dtype}; bytes are needed.", nameof(codes));
        using var scope = NewDisposeScope();
        var rows = tensor(table.ToArray(), device: codes.device).view(256, -1);
        var values = rows.index_select(0, codes.flatten().to(ScalarType.Int64));
        var shape = rows.shape[1] == 1 ? codes.shape : [.. codes.shape, rows.shape[1]];
        return values.view(shape).MoveToOuterDisposeScope();
    }
}
