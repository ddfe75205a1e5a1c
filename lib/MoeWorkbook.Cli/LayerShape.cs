namespace MoeWorkbook.Cli;

/// <summary>The sizes of a Mixture-of-Experts layer that is timed.</summary>
internal sealed record LayerShape(int Hidden, int IntermediateSize, int Experts, int TopK)
{
    /// <summary>Whether all tokens visit the same experts; otherwise experts are dealt to them in turn.</summary>
    public bool Collapsed { get; init; }

    /// <summary>The routing as options and JSON name it.</summary>
    public string Routing => Collapsed ? "collapsed" : "balanced";
}
