namespace MoeWorkbook.Cli;

/// <summary>The sizes of a Mixture-of-Experts layer that is timed.</summary>
internal sealed record LayerShape(int Hidden, int FeedForward, int Experts, int TopK);
