using System.Runtime.InteropServices;
using System.Text;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>What kind of argument a <see cref="Value"/> holds; the order is native.cpp's.</summary>
internal enum Tag
{
    Default, None, Tensor, Int, Double, Bool, Ints, Doubles, Tensors, OptionalTensors, Device, String, Generator,
}

/// <summary>An argument or a result as native.cpp sees it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Value
{
    internal Tag Tag;
    internal int Count;
    internal long Bits;
}

/// <summary>An argument of an operator. C# values convert to it, so that a call reads like the operator's schema.</summary>
internal readonly struct Arg
{
    private readonly Tag _tag;
    private readonly int _count;
    private readonly long _bits;

    /// <summary>What must stay alive during the call.</summary>
    internal readonly object? Reference;

    private Arg(Tag tag, long bits = 0, int count = 0, object? reference = null) => (this._tag, this._bits, this._count, Reference) = (tag, bits, count, reference);

    /// <summary>The schema's default.</summary>
    internal static Arg Default => default;
    internal static Arg None => new(Tag.None);

    public static implicit operator Arg(torch.Tensor? value) => value is null ? None : new(Tag.Tensor, value.Handle, 0, value);
    public static implicit operator Arg(long value) => new(Tag.Int, value);
    public static implicit operator Arg(long? value) => value is { } v ? v : None;
    public static implicit operator Arg(double value) => new(Tag.Double, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Arg(double? value) => value is { } v ? v : None;
    public static implicit operator Arg(bool value) => new(Tag.Bool, value ? 1 : 0);
    public static implicit operator Arg(ScalarType value) => new(Tag.Int, (long)value);
    public static implicit operator Arg(ScalarType? value) => value is { } v ? v : None;
    public static implicit operator Arg(torch.Device? value) => value is null ? None : new(Tag.Device, value.index, (int)value.type);
    public static implicit operator Arg(Scalar? value) => value is null ? None : new(value.Value.Tag, value.Value.Bits);
    public static implicit operator Arg(torch.Generator? value) => value is null ? None : new(Tag.Generator, value.Handle, 0, value);
    public static implicit operator Arg(string? value) => value is null ? None : new(Tag.String, 0, Encoding.UTF8.GetByteCount(value), value);
    public static implicit operator Arg(long[]? value) => value is null ? None : new(Tag.Ints, 0, value.Length, value);
    public static implicit operator Arg(torch.Tensor[] value) => new(Tag.Tensors, 0, value.Length, value);

    /// <summary>A list of tensors, some of which may be missing.</summary>
    internal static Arg Optional(torch.Tensor?[] value) => new(Tag.OptionalTensors, 0, value.Length, value);

    /// <summary>How many 8-byte words <see cref="Lower"/> takes.</summary>
    internal int Words => _tag == Tag.String ? (_count + 7) / 8 : _count * (_tag >= Tag.Ints && _tag <= Tag.OptionalTensors ? 1 : 0);

    /// <summary>Writes the argument for native code; a list goes to <paramref name="free"/>, which moves on.</summary>
    internal unsafe Value Lower(ref long* free)
    {
        if (Words == 0) return new Value { Tag = _tag, Count = _count, Bits = _bits };
        var start = free;
        free += Words;
        if (Reference is long[] ints) ints.CopyTo(new Span<long>(start, _count));
        else if (Reference is string text) Encoding.UTF8.GetBytes(text, new Span<byte>(start, _count));
        else
        {
            var tensors = (torch.Tensor?[])Reference!;
            for (int k = 0; k < _count; k++) start[k] = tensors[k] is { } t ? t.Handle : 0;
        }
        return new Value { Tag = _tag, Count = _count, Bits = (long)start };
    }
}
