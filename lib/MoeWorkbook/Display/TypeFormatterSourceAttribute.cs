namespace MoeWorkbook;

/// <summary>Tells a notebook kernel who formats a type.</summary>
/// <remarks>.NET Interactive looks for an attribute of this name, whatever its namespace and assembly: no package is needed.</remarks>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    /// <summary>The type whose <c>CreateTypeFormatters()</c> gives the formatters.</summary>
    public Type FormatterSourceType { get; } = formatterSourceType;

    /// <summary>The forms in which a value is sent, the preferred one first; null for the kernel's own choice.</summary>
    public string[]? PreferredMimeTypes { get; set; }
}
