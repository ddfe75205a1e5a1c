using System.Globalization;
using System.Text;

namespace TorchSharp;

public static partial class torch
{
    private static TensorStringStyle _style = TensorStringStyle.Julia;
    private static string _floatFormat = "g5", _newLineText = Environment.NewLine;
    private static int _lineWidth = 100, _maxShownRows = 6, _maxShownColumns = 6;

    public const TensorStringStyle julia = TensorStringStyle.Julia;
    public const TensorStringStyle numpy = TensorStringStyle.Numpy;
    public const TensorStringStyle csharp = TensorStringStyle.CSharp;

    public static TensorStringStyle TensorStringStyle
    {
        get => _style;
        set => _style = value != TensorStringStyle.Default ? value : throw new ArgumentException("The style cannot be set to 'Default'");
    }

    public static void set_printoptions(int precision, int? linewidth = null, string? newLine = null, bool sci_mode = false, int? maxRows = null, int? maxColumns = null) =>
        set_printoptions(_style, $"{(sci_mode ? 'E' : 'F')}{precision}", linewidth, newLine, maxRows, maxColumns);

    public static void set_printoptions(TensorStringStyle? style = null, string? floatFormat = null, int? linewidth = null, string? newLine = null, int? maxRows = null, int? maxColumns = null)
    {
        torch._style = style ?? torch._style;
        torch._floatFormat = floatFormat ?? torch._floatFormat;
        _lineWidth = linewidth ?? _lineWidth;
        _newLineText = newLine ?? _newLineText;
        _maxShownRows = maxRows ?? _maxShownRows;
        _maxShownColumns = maxColumns ?? _maxShownColumns;
    }

    public partial class Tensor
    {
        public override string ToString() => Metadata();

        public string ToString(bool disamb, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null) =>
            disamb ? ToString(TensorStringStyle.Default, fltFormat, width, cultureInfo, newLine) : Metadata();

        public string ToString(TensorStringStyle style, string? fltFormat = null, int? width = null, CultureInfo? cultureInfo = null, string? newLine = null)
        {
            if (style == TensorStringStyle.Default) style = torch._style;
            if (style == TensorStringStyle.Metadata || is_meta || is_complex()) return Metadata();
            using var scope = NewDisposeScope();
            return new Printer(this, fltFormat ?? _floatFormat, width ?? _lineWidth, newLine ?? _newLineText, cultureInfo ?? CultureInfo.CurrentCulture).Print(style);
        }

        private string Metadata() => $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";

        /// <summary>Writes a tensor's values in one of TorchSharp's three styles.</summary>
        private sealed class Printer(Tensor tensor, string format, int width, string newLine, CultureInfo culture)
        {
            private readonly StringBuilder _text = new();
            private readonly long[] _shape = tensor.shape;
            private readonly string[] _values = Format(tensor, format, culture);

            internal string Print(TensorStringStyle style)
            {
                if (style == TensorStringStyle.Numpy) Nested(0, 0, '[', ']', "", "", true);
                else
                {
                    _text.Append(tensor.Metadata());
                    if (style == TensorStringStyle.Julia) Julia();
                    else CSharp();
                }
                return _text.ToString();
            }

            private static string[] Format(Tensor tensor, string format, CultureInfo culture)
            {
                var flat = tensor.detach().cpu().flatten();
                return tensor.dtype switch
                {
                    ScalarType.Bool => [.. flat.data<bool>().Select(value => value.ToString(culture))],
                    ScalarType.Float64 => [.. flat.data<double>().Select(value => value.ToString(format, culture))],
                    _ when tensor.is_floating_point() => [.. flat.@float().data<float>().Select(value => value.ToString(format, culture))],
                    _ => [.. flat.@long().data<long>().Select(value => value.ToString(culture))],
                };
            }

            /// <summary>Right-aligned columns; each matrix of a larger tensor under its indices.</summary>
            private void Julia()
            {
                if (_shape.Length == 0)
                {
                    _text.Append(", value = ").Append(_values[0]);
                    return;
                }
                if (_shape.Length <= 2) _text.Append(newLine);
                long rows = _shape.Length == 1 ? 1 : _shape[^2], columns = _shape[^1];
                long matrices = _shape[..^Math.Min(2, _shape.Length)].Aggregate(1L, (product, size) => product * size);
                for (long m = 0; m < matrices; m++)
                {
                    if (_shape.Length > 2) _text.Append($"{newLine}[{string.Join(",", Indices(m))},..,..] ={newLine}");
                    var lines = Enumerable.Range(0, (int)rows).Select(r => _values.AsMemory((int)((m * rows + r) * columns), (int)columns)).ToArray();
                    int shown = lines.Length == 0 ? 0 : lines.Min(line => Fitting(line));
                    var widths = Enumerable.Range(0, shown).Select(c => lines.Max(line => line.Span[c].Length)).ToArray();
                    foreach (var line in lines)
                    {
                        for (int c = 0; c < shown; c++) _text.Append(' ').Append(line.Span[c].PadLeft(widths[c]));
                        if (shown < columns) _text.Append(" ...");
                        _text.Append(newLine);
                    }
                }
            }

            /// <summary>How many values of a line fit in the width, with room for an ellipsis.</summary>
            private int Fitting(ReadOnlyMemory<string> line)
            {
                int left = width, count = 0;
                foreach (string value in line.Span)
                {
                    if (left - value.Length - 4 < 0) break;
                    left -= value.Length + 1;
                    count++;
                }
                return count;
            }

            private long[] Indices(long matrix)
            {
                var indices = new long[_shape.Length - 2];
                for (int k = indices.Length - 1; k >= 0; k--) (matrix, indices[k]) = (matrix / _shape[k], matrix % _shape[k]);
                return indices;
            }

            private void CSharp()
            {
                var (name, suffix) = tensor.dtype switch
                {
                    ScalarType.Int8 => ("sbyte", ""),
                    ScalarType.Int16 => ("short", ""),
                    ScalarType.Int32 => ("int", ""),
                    ScalarType.Int64 => ("long", "L"),
                    ScalarType.Float16 => ("float16", "f"),
                    ScalarType.BFloat16 => ("bfloat16", "f"),
                    ScalarType.Float32 => ("float", "f"),
                    ScalarType.Float64 => ("double", ""),
                    _ => ($"{tensor.dtype}".ToLowerInvariant(), ""),
                };
                _text.Append(", value = ");
                if (_shape.Length == 0)
                {
                    _text.Append(_values[0]);
                    return;
                }
                if (_shape.Length > 1) _text.Append(newLine);
                _text.Append($"{name} [{new string(',', _shape.Length - 1)}] ");
                Nested(0, 0, '{', '}', suffix, ",", true);
            }

            /// <summary>Rows in brackets; long ones with an ellipsis in the middle.</summary>
            private void Nested(int axis, long start, char open, char close, string suffix, string comma, bool first)
            {
                if (_shape.Length == 0)
                {
                    _text.Append(_values[0]);
                    return;
                }
                bool braces = open == '{' && axis == 0 && _shape.Length > 1;
                if (!first) _text.Append(' ', axis);
                _text.Append(open);
                if (braces) _text.Append(newLine).Append(' ');
                long size = _shape[axis], stride = _shape[(axis + 1)..].Aggregate(1L, (product, s) => product * s);
                bool last = axis == _shape.Length - 1;
                int limit = last ? _maxShownColumns : _maxShownRows;
                long head = size <= limit ? size : limit - limit / 2;
                for (long k = 0; k < size; k++)
                {
                    if (k == head)
                    {
                        k = size - limit / 2;
                        if (last) _text.Append("... ");
                        else _text.Append(' ', axis + 1).Append(" ...").Append(LineEnd(axis, comma));
                    }
                    if (last) _text.Append(_values[start + k]).Append(suffix).Append(k + 1 < size ? ", " : "");
                    else
                    {
                        Nested(axis + 1, start + k * stride, open, close, suffix, comma, k == 0);
                        if (k + 1 < size) _text.Append(comma).Append(LineEnd(axis, comma));
                    }
                }
                if (braces) _text.Append(newLine);
                _text.Append(close);
            }

            /// <summary>Between matrices of a larger tensor NumPy's style leaves lines free.</summary>
            private string LineEnd(int axis, string comma) => comma.Length > 0 ? newLine : string.Concat(Enumerable.Repeat(newLine, _shape.Length - 1 - axis));
        }
    }
}
