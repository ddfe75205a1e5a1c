namespace MoeWorkbook;

/// <summary>One way to colour a text.</summary>
/// <param name="Name">What the colours mean, such as "expert in layer 0".</param>
/// <param name="Labels">The label of each piece of the text: a number from 0.</param>
/// <param name="LabelNames">What each label is called in the legend.</param>
public sealed record TextColoring(string Name, IReadOnlyList<int> Labels, IReadOnlyList<string> LabelNames);
