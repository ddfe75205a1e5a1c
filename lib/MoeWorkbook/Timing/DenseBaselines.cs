namespace MoeWorkbook;

/// <summary>The Mixture of Experts, the dense network of equal total and that of equal active parameters, timed in the same rounds on the same
/// storage.</summary>
internal static class DenseBaselines
{
    public const string Moe = "Mixture of Experts", EqualTotal = "dense, equal total", EqualActive = "dense, equal active";
    private const string Products = " as products";

    /// <summary>Each dense network is computed in two ways, by the runner and as matrix products, and the faster one counts: the comparison is with the best
    /// that a dense network can do here.</summary>
    /// <param name="options">How to measure.</param>
    /// <param name="runner">How the Mixture of Experts is run.</param>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="work">What is timed, given how experts are run: the Mixture of Experts, once or on several kinds of routing; the dense networks compute the
    /// first.</param>
    /// <returns>For each kind the three, under their three names.</returns>
    public static IReadOnlyList<Comparison> Compare(MeasurementOptions options, ExpertRunner runner, int experts, int expertsPerToken,
        params Func<ExpertRunner, Action>[] work)
    {
        var measured = Measurement.Compare(options,
        [
            .. work.Select((one, kind) => ($"{Moe} {kind}", one(runner))),
            (EqualTotal, work[0](new DenseBaseline(experts, runner))),
            (EqualTotal + Products, work[0](new DenseBaseline(experts))),
            (EqualActive, work[0](new DenseBaseline(expertsPerToken, runner))),
            (EqualActive + Products, work[0](new DenseBaseline(expertsPerToken))),
        ]);
        var (total, active) = (Faster(EqualTotal), Faster(EqualActive));
        return [.. work.Select((_, kind) => new Comparison([measured[$"{Moe} {kind}"] with { Name = Moe }, total, active]))];

        Measurement Faster(string name) => new[] { measured[name], measured[name + Products] }.MinBy(way => way.Seconds.Value)! with { Name = name };
    }
}
