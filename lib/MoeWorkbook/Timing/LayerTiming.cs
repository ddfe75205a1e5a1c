namespace MoeWorkbook;

/// <summary>One Mixture-of-Experts layer against dense blocks, timed at one number of tokens.</summary>
/// <param name="Tokens">Number of tokens B.</param>
/// <param name="Pattern">How the tokens were spread over the experts.</param>
/// <param name="ExpectedExperts">Distinct experts that B tokens should touch: by the formula for uniform routing, whatever the pattern.</param>
/// <param name="TouchedExperts">Distinct experts that they did touch, on average over the decisions that were timed.</param>
/// <param name="Moe">Time of the Mixture-of-Experts layer.</param>
/// <param name="EqualTotal">Time of the dense block with as many parameters in total.</param>
/// <param name="EqualActive">Time of the dense block with as many parameters as one token uses.</param>
/// <param name="AdvantageOverTotal">How many times as long the block of equal total takes, paired round by round.</param>
/// <param name="CostOverActive">How many times as long the layer takes as the block of equal active parameters.</param>
public sealed record LayerTiming(
    int Tokens, RoutingPattern Pattern, double ExpectedExperts, double TouchedExperts,
    Measurement Moe, Measurement EqualTotal, Measurement EqualActive, Estimate AdvantageOverTotal, Estimate CostOverActive);
