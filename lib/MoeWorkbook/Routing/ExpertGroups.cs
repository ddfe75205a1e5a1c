namespace MoeWorkbook;

/// <summary>Experts in groups of equal size, of which a token's experts come from the best: the two best experts of a group decide about it (DeepSeek-AI 2024,
/// section 2.1.2).</summary>
/// <param name="Count">Number of groups; divides the number of experts.</param>
/// <param name="PerToken">Number of groups that a token's experts come from.</param>
public sealed record ExpertGroups(int Count, int PerToken);
