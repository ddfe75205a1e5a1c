namespace MoeWorkbook;

/// <summary>The number format that weights are held in.</summary>
public enum WeightType
{
    /// <summary>32 bits.</summary>
    Float32,

    /// <summary>16 bits: float32's exponent, 7 bits of fraction.</summary>
    BFloat16,

    /// <summary>16 bits: IEEE half precision.</summary>
    Float16,

    /// <summary>8 bits, as DeepSeek-V3 is published.</summary>
    Float8,

    /// <summary>8 bits.</summary>
    Int8,

    /// <summary>4 bits, two weights a byte.</summary>
    Int4,
}
