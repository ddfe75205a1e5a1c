namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>What <c>Display</c> returns. A displayed value cannot be updated (nor can it in the last .NET Interactive).</summary>
public sealed class DisplayedValue
{
    internal DisplayedValue()
    {
    }
}
