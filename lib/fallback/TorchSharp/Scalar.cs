namespace TorchSharp;

/// <summary>A number of any type: libtorch keeps a whole number, a floating-point number or a truth value.</summary>
public sealed class Scalar : IDisposable
{
    internal readonly Value Value;

    internal Scalar(Value value) => Value = value;

    private Scalar(long value) => Value = new Value { Tag = Tag.Int, Bits = value };
    private Scalar(double value) => Value = new Value { Tag = Tag.Double, Bits = BitConverter.DoubleToInt64Bits(value) };
    private Scalar(bool value) => Value = new Value { Tag = Tag.Bool, Bits = value ? 1 : 0 };

    public torch.ScalarType Type => Value.Tag switch
    {
        Tag.Int => torch.ScalarType.Int64,
        Tag.Bool => torch.ScalarType.Bool,
        _ => torch.ScalarType.Float64,
    };

    internal double Double => Value.Tag == Tag.Double ? BitConverter.Int64BitsToDouble(Value.Bits) : Value.Bits;
    internal long Long => Value.Tag == Tag.Double ? (long)BitConverter.Int64BitsToDouble(Value.Bits) : Value.Bits;

    public static implicit operator Scalar(byte value) => new((long)value);
    public static implicit operator Scalar(sbyte value) => new((long)value);
    public static implicit operator Scalar(short value) => new((long)value);
    public static implicit operator Scalar(int value) => new((long)value);
    public static implicit operator Scalar(long value) => new(value);
    public static implicit operator Scalar(Half value) => new((double)value);
    public static implicit operator Scalar(BFloat16 value) => new((double)value.ToSingle());
    public static implicit operator Scalar(float value) => new((double)value);
    public static implicit operator Scalar(double value) => new(value);
    public static implicit operator Scalar(bool value) => new(value);

    public void Dispose() { }
}
