namespace MoeWorkbook;

/// <summary>How tokens are spread over experts in a timing.</summary>
public enum RoutingPattern
{
    /// <summary>Dealt in turn: every expert has the same load, as nearly as the number of tokens allows.</summary>
    Balanced,

    /// <summary>Each token draws its experts at random, all equally likely.</summary>
    Uniform,

    /// <summary>Each token draws its experts at random, the expert of rank r with weight 1/r (Zipf): a few are popular, none is unused.</summary>
    Realistic,

    /// <summary>All tokens visit the same k experts.</summary>
    Collapsed,
}
