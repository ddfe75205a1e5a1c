namespace MoeWorkbook;

/// <summary>A column of a <see cref="Table"/>.</summary>
/// <param name="Name">What stands in it.</param>
/// <param name="Unit">The unit of its numbers, such as GB; null where it has none.</param>
/// <param name="AlignRight">Whether it is aligned to the right, as numbers are; text is aligned to the left.</param>
public sealed record Column(string Name, string? Unit = null, bool AlignRight = true)
{
    /// <summary>A column of text, aligned to the left.</summary>
    public static Column Text(string name) => new(name, AlignRight: false);

    /// <summary>The name, and the unit in parentheses.</summary>
    public string Header => Unit is null ? Name : $"{Name} ({Unit})";
}
