namespace MoeWorkbook;

/// <summary>What a loss may be plotted against.</summary>
public enum TrainingCost
{
    /// <summary>Training steps: as many tokens for every model.</summary>
    Steps,

    /// <summary>Floating-point operations of all forward and backward passes, a backward pass counted as two forward passes.</summary>
    Flops,

    /// <summary>Seconds of training on the machine at hand, validation left out.</summary>
    Seconds,
}
