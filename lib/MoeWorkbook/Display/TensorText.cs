using System.Globalization;
using System.Text;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A tensor as a reader wants to see it: shape, type, device, and the values where they are few.</summary>
internal static class TensorText
{
    private const int MaxRows = 12, MaxColumns = 10;

    /// <summary>A heading such as <c>Float32 [2, 3] on cpu</c>, then the values of the first matrix, cut to a readable size.</summary>
    public static string Of(Tensor tensor)
    {
        if (tensor.IsInvalid)
            return "a tensor that has been disposed";
        var shape = tensor.shape;
        var heading = $"{tensor.dtype} [{string.Join(", ", shape)}] on {tensor.device}";
        var hasValues = tensor.device_type != TorchSharp.DeviceType.META && !shape.Contains(0)
            && tensor.dtype is ScalarType.Bool or ScalarType.Byte or ScalarType.Int8 or ScalarType.Int16 or ScalarType.Int32 or ScalarType.Int64
                or ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64;
        return hasValues ? heading + Values(tensor, shape) : heading;
    }

    private static string Values(Tensor tensor, long[] shape)
    {
        using var scope = NewDisposeScope();
        var matrix = tensor.detach();
        var text = new StringBuilder();
        var leading = Math.Max(shape.Length - 2, 0);
        for (var i = 0; i < leading; i++)
            matrix = matrix.select(0, 0);
        if (leading > 0)
            text.Append($"\n[{string.Join(", ", Enumerable.Repeat("0", leading))}, :, :] =");
        long rows = shape.Length >= 2 ? shape[^2] : 1, columns = shape.Length >= 1 ? shape[^1] : 1;
        int shownRows = (int)Math.Min(rows, MaxRows), shownColumns = (int)Math.Min(columns, MaxColumns);
        var values = matrix.reshape(rows, columns).narrow(0, 0, shownRows).narrow(1, 0, shownColumns).contiguous().cpu().to_type(ScalarType.Float64)
            .data<double>().ToArray();

        string[] cells = [.. values.Select(value => Cell(value, tensor.dtype))];
        var width = cells.Max(cell => cell.Length);
        for (var row = 0; row < shownRows; row++)
        {
            text.Append('\n').AppendJoin("  ", cells.Skip(row * shownColumns).Take(shownColumns).Select(cell => cell.PadLeft(width)));
            if (shownColumns < columns)
                text.Append("  …");
        }
        return shownRows < rows ? text.Append("\n…").ToString() : text.ToString();
    }

    private static string Cell(double value, ScalarType type) => type switch
    {
        ScalarType.Bool => value != 0 ? "True" : "False",
        ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64 => Fraction(value),
        _ => value.ToString("0", CultureInfo.InvariantCulture),
    };

    private static string Fraction(double value) =>
        value == 0 || Math.Abs(value) is >= 1e-3 and < 1e5 || !double.IsFinite(value)
            ? value.ToString("0.0000", CultureInfo.InvariantCulture)
            : value.ToString("0.00e+0", CultureInfo.InvariantCulture);
}
