namespace MoeWorkbook;

/// <summary>The Mixture of Experts, the dense network of equal total and that of equal active parameters, timed in the same rounds on the same storage.</summary>
internal static class ThreeWays
{
    public const string Moe = "Mixture of Experts", EqualTotal = "dense, equal total", EqualActive = "dense, equal active";

    /// <summary>Each dense network is computed in two ways, by the runner and as matrix products, and the faster one counts: the comparison is with the best that a dense network can do here.</summary>
    /// <param name="options">How to measure.</param>
    /// <param name="runner">How the Mixture of Experts is run.</param>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="work">What is timed, given how experts are run.</param>
    public static Comparison Compare(MeasurementOptions options, ExpertRunner runner, int experts, int expertsPerToken, Func<ExpertRunner, Action> work)
    {
        var measured = Measurement.Compare(options,
            (Moe, work(runner)),
            (EqualTotal, work(new DenseOfExperts(experts, runner))),
            (EqualTotal + " as products", work(new DenseOfExperts(experts))),
            (EqualActive, work(new DenseOfExperts(expertsPerToken, runner))),
            (EqualActive + " as products", work(new DenseOfExperts(expertsPerToken))));
        return new([measured[Moe], Faster(EqualTotal), Faster(EqualActive)], options.Seed);

        Measurement Faster(string name) =>
            new[] { measured[name], measured[name + " as products"] }.MinBy(way => way.Seconds.Value)! with { Name = name };
    }
}
