using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The comparison that the workbook is about: one Mixture-of-Experts layer against the dense block of equal total and that of equal active parameters,
/// all three on the same storage.</summary>
public sealed class LayerComparison
{
    private const int Decisions = 4; // so that a sample averages over draws, and no expert stays in a cache

    private readonly ExpertWeights _experts;
    private readonly int _expertsPerToken;
    private readonly ExpertRunner _runner;

    /// <summary>A comparison on a layer's experts.</summary>
    /// <param name="experts">The experts; <see cref="SyntheticWeights.Experts"/> makes some.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="runner">How experts are run.</param>
    /// <exception cref="ArgumentOutOfRangeException">k is not from 1 to the number of experts.</exception>
    public LayerComparison(ExpertWeights experts, int expertsPerToken, ExpertRunner runner)
    {
        ArgumentNullException.ThrowIfNull(experts);
        ArgumentNullException.ThrowIfNull(runner);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expertsPerToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expertsPerToken, experts.ExpertCount);
        (_experts, _expertsPerToken, _runner) = (experts, expertsPerToken, runner);
    }

    /// <summary>Times the three at several numbers of tokens. Each dense block is run in two ways, as matrix products and by the expert runner, and the faster
    /// one counts.</summary>
    /// <param name="tokens">The numbers of tokens.</param>
    /// <param name="patterns">How tokens are spread over experts; each pattern is timed in the same rounds as the dense blocks.</param>
    /// <param name="options">How to measure; null for the defaults.</param>
    /// <returns>One timing for each number of tokens and each pattern.</returns>
    /// <exception cref="ArgumentException">There is no pattern, or an option or a number of tokens is out of range.</exception>
    public IReadOnlyList<LayerTiming> Measure(IEnumerable<int> tokens, IEnumerable<RoutingPattern> patterns, MeasurementOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(patterns);
        RoutingPattern[] wanted = [.. patterns];
        if (wanted.Length == 0) throw new ArgumentException("There is no routing pattern to time.", nameof(patterns));
        using var noGradient = no_grad();
        return [.. tokens.SelectMany(count => Measure(count, wanted, options ?? new()))];
    }

    private List<LayerTiming> Measure(int tokens, RoutingPattern[] patterns, MeasurementOptions options)
    {
        using var scope = NewDisposeScope();
        var device = _experts.GateUp.device;
        var hidden = randn(tokens, _experts.HiddenSize, device: device).to(_experts.GateUp.dtype); // [tokens, hidden]
        var routings = patterns.Select(pattern => (Pattern: pattern, Decisions: Enumerable.Range(0, Decisions)
            .Select(seed => SyntheticRouting.Decide(pattern, tokens, _experts.ExpertCount, _expertsPerToken, seed, device)).ToArray())).ToList();
        var times = DenseBaselines.Compare(options with { Device = device }, _runner, _experts.ExpertCount, _expertsPerToken,
            [.. routings.Select(routing => Work(routing.Decisions))]);
        var expected = ExpertsTouched.Expected(_experts.ExpertCount, _expertsPerToken, tokens);
        return [.. routings.Zip(times,
            (routing, own) => new LayerTiming(tokens, routing.Pattern, expected, routing.Decisions.Average(ExpertsTouched.In), own))];

        Func<ExpertRunner, Action> Work(RoutingDecision[] decisions) => runner =>
        {
            var turn = 0;
            return () => runner.Run(hidden, decisions[turn++ % Decisions], _experts).Dispose();
        };
    }
}
