using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What the element types are called in files, and which torch type has the same bytes.</summary>
internal static class SafetensorsTypes
{
    /// <summary>libtorch need not know the 8-bit floats: they are bytes there. Of two types with one torch type, the first is written.</summary>
    private static readonly (SafetensorsType Type, string Name, ScalarType Torch)[] _types =
    [
        (SafetensorsType.Float64, "F64", ScalarType.Float64),
        (SafetensorsType.Float32, "F32", ScalarType.Float32),
        (SafetensorsType.Float16, "F16", ScalarType.Float16),
        (SafetensorsType.BFloat16, "BF16", ScalarType.BFloat16),
        (SafetensorsType.Int64, "I64", ScalarType.Int64),
        (SafetensorsType.Int32, "I32", ScalarType.Int32),
        (SafetensorsType.Int16, "I16", ScalarType.Int16),
        (SafetensorsType.Int8, "I8", ScalarType.Int8),
        (SafetensorsType.UInt8, "U8", ScalarType.Byte),
        (SafetensorsType.Bool, "BOOL", ScalarType.Bool),
        (SafetensorsType.Float8E4M3, "F8_E4M3", ScalarType.Byte),
        (SafetensorsType.Float8E5M2, "F8_E5M2", ScalarType.Byte),
    ];

    public static string AllNames => string.Join(", ", _types.Select(t => t.Name));

    /// <summary>The type of that name in a file; null where there is none.</summary>
    public static SafetensorsType? Named(string name) => _types.Where(t => t.Name == name).Select(t => (SafetensorsType?)t.Type).FirstOrDefault();

    /// <summary>The type with a torch type's bytes; null where there is none.</summary>
    public static SafetensorsType? FromTorch(ScalarType torch) => _types.Where(t => t.Torch == torch).Select(t => (SafetensorsType?)t.Type).FirstOrDefault();

    public static string FileName(this SafetensorsType type) => _types[(int)type].Name;

    public static ScalarType TorchType(this SafetensorsType type) => _types[(int)type].Torch;

    public static int ElementBytes(this SafetensorsType type) => type.TorchType().ElementSize();

    public static bool IsFloat(this SafetensorsType type) => type <= SafetensorsType.BFloat16;

    public static bool IsFloat8(this SafetensorsType type) => type >= SafetensorsType.Float8E4M3;
}
