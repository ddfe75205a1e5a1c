namespace MoeWorkbook;

/// <summary>Bytes that weights take.</summary>
public static class WeightBytes
{
    /// <summary>Bits of one weight, without the scales of quantised formats.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> is not a weight type.</exception>
    public static int BitsPerWeight(WeightType type) => type switch
    {
        WeightType.Float32 => 32,
        WeightType.BFloat16 or WeightType.Float16 => 16,
        WeightType.Float8 or WeightType.Int8 => 8,
        WeightType.Int4 => 4,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a weight type."),
    };

    /// <summary>Bytes of a number of weights, rounded up to a whole byte, without the scales of quantised formats.</summary>
    /// <param name="parameters">How many weights; not negative.</param>
    /// <param name="type">Their format.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="parameters"/> is negative.</exception>
    /// <exception cref="OverflowException">The bytes do not fit into 64 bits.</exception>
    public static long Of(long parameters, WeightType type)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(parameters);
        var bits = BitsPerWeight(type);
        return bits >= 8 ? checked(parameters * (bits / 8)) : parameters / 2 + parameters % 2;
    }
}
