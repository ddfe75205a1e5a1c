namespace MoeWorkbook;

/// <summary>The element type of a tensor in a safetensors file.</summary>
internal enum SafetensorsType
{
    /// <summary><c>F64</c>: IEEE binary64.</summary>
    Float64,

    /// <summary><c>F32</c>: IEEE binary32.</summary>
    Float32,

    /// <summary><c>F16</c>: IEEE binary16.</summary>
    Float16,

    /// <summary><c>BF16</c>: the upper half of a float32.</summary>
    BFloat16,

    /// <summary><c>I64</c>: 64-bit signed integer.</summary>
    Int64,

    /// <summary><c>I32</c>: 32-bit signed integer.</summary>
    Int32,

    /// <summary><c>I16</c>: 16-bit signed integer.</summary>
    Int16,

    /// <summary><c>I8</c>: 8-bit signed integer.</summary>
    Int8,

    /// <summary><c>U8</c>: 8-bit unsigned integer.</summary>
    UInt8,

    /// <summary><c>BOOL</c>: one byte, 0 or 1.</summary>
    Bool,

    /// <summary><c>F8_E4M3</c>: 8-bit float with 4 exponent and 3 mantissa bits and no infinities (Micikevicius et al. 2022).</summary>
    Float8E4M3,

    /// <summary><c>F8_E5M2</c>: 8-bit float with 5 exponent and 2 mantissa bits (Micikevicius et al. 2022).</summary>
    Float8E5M2,
}
