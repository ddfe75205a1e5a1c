using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A whole Mixture-of-Experts model, timed with a key-value cache against the dense models that its own weights make when every token visits all
/// experts, or always the same k.</summary>
/// <remarks>The three differ in the experts alone. The dense ones still ask the router, which costs them next to nothing.</remarks>
public sealed class ModelComparison
{
    private readonly CausalLanguageModel _model;
    private readonly IReadOnlyList<MoeLayer> _layers;
    private readonly ExpertRunner _runner;

    /// <summary>A comparison on a model.</summary>
    /// <param name="model">A Mixture-of-Experts model; it is put into evaluation mode.</param>
    /// <param name="runner">How experts are run.</param>
    /// <exception cref="ArgumentException">The model has no experts.</exception>
    public ModelComparison(CausalLanguageModel model, ExpertRunner runner)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(runner);
        if (model.Config.Moe is null) throw new ArgumentException("The model has no experts.", nameof(model));
        model.eval();
        (_model, _layers, _runner) = (model, [.. model.MoeLayers], runner);
    }

    /// <summary>Times one decode step: a prompt is in the cache, and each sequence gets one more token.</summary>
    /// <param name="batch">Number of sequences.</param>
    /// <param name="context">Positions in the cache at the first step.</param>
    /// <param name="options">How to measure; null for the defaults.</param>
    /// <exception cref="ArgumentException">A number or option is out of range.</exception>
    public Comparison Decode(int batch = 1, int context = 64, MeasurementOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        var caches = new List<KeyValueCache>();
        try
        {
            return Compare(options, () =>
            {
                var cache = new KeyValueCache();
                caches.Add(cache);
                return () => Step(batch, cache.Length == 0 ? context : 1, cache);
            });
        }
        finally
        {
            foreach (var cache in caches) cache.Dispose();
        }
    }

    /// <summary>Times the prefill: from a prompt to the logits of its first new token.</summary>
    /// <param name="promptTokens">Length of the prompt.</param>
    /// <param name="options">How to measure; null for the defaults.</param>
    /// <exception cref="ArgumentException">A number or option is out of range.</exception>
    public Comparison Prefill(int promptTokens, MeasurementOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(promptTokens);
        return Compare(options, () => () =>
        {
            using var cache = new KeyValueCache();
            Step(1, promptTokens, cache);
        });
    }

    private Comparison Compare(MeasurementOptions? options, Func<Action> step)
    {
        using var noGradient = no_grad();
        var before = _layers.Select(layer => layer.Runner).ToList();
        try
        {
            return DenseBaselines.Compare((options ?? new()) with { Device = _model.Device }, _runner, _model.Config.Moe!.ExpertCount,
                _model.Config.Moe.ExpertsPerToken, runner =>
            {
                var action = step();
                return () =>
                {
                    foreach (var layer in _layers) layer.Runner = runner;
                    action();
                };
            })[0];
        }
        finally
        {
            foreach (var (layer, runner) in _layers.Zip(before)) layer.Runner = runner;
        }
    }

    // Tokens differ, so that the routers do not send all to the same experts.
    private void Step(int batch, int count, KeyValueCache cache)
    {
        using var scope = NewDisposeScope();
        long[] ids = [.. Enumerable.Range(0, batch * count).Select(i => (cache.Length + i) * 7919 % _model.Config.VocabularySize)];
        _model.forward(tensor(ids, [batch, count], device: _model.Device), cache, lastOnly: true);
    }
}
