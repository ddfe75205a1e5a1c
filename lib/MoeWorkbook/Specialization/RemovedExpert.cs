namespace MoeWorkbook;

/// <summary>What becomes of the tokens of an expert that is taken away.</summary>
public enum RemovedExpert
{
    /// <summary>They go to the next best expert: the router's logit for the absent one is −∞.</summary>
    Rerouted,

    /// <summary>The expert still is chosen and gives zero.</summary>
    Silent,
}
