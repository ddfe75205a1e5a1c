namespace MoeWorkbook;

/// <summary>One Mixture-of-Experts layer against dense blocks, timed at one number of tokens.</summary>
/// <param name="Tokens">Number of tokens B.</param>
/// <param name="Pattern">How the tokens were spread over the experts.</param>
/// <param name="ExpectedExperts">Distinct experts that B tokens touch under uniform routing, in expectation: E·(1 − (1 − k/E)^B).</param>
/// <param name="TouchedExperts">Distinct experts that they did touch, on average over the decisions that were timed.</param>
/// <param name="Times">The layer, the dense block of equal total and that of equal active parameters.</param>
public sealed record LayerTiming(int Tokens, RoutingPattern Pattern, double ExpectedExperts, double TouchedExperts, Comparison Times)
{
    /// <summary>Time of the Mixture-of-Experts layer.</summary>
    public Measurement Moe => Times[DenseBaselines.Moe];

    /// <summary>Time of the dense block with as many parameters in total.</summary>
    public Measurement EqualTotal => Times[DenseBaselines.EqualTotal];

    /// <summary>Time of the dense block with as many parameters as one token uses.</summary>
    public Measurement EqualActive => Times[DenseBaselines.EqualActive];

    /// <summary>How many times as long the block of equal total parameters takes as the layer.</summary>
    public Estimate AdvantageOverTotal => Times.Ratio(DenseBaselines.EqualTotal, DenseBaselines.Moe);

    /// <summary>How many times as long the layer takes as the block of equal active parameters.</summary>
    public Estimate CostOverActive => Times.Ratio(DenseBaselines.Moe, DenseBaselines.EqualActive);
}
