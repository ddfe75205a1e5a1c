using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Whole models timed with a key-value cache.</summary>
public static class ModelTiming
{
    /// <summary>Times one decode step: each model has a prompt in its cache and computes one more token.</summary>
    /// <param name="models">Name and model of each; the first is what the others are compared with.</param>
    /// <param name="context">Positions in the cache.</param>
    /// <param name="batch">Number of sequences.</param>
    /// <param name="options">How to measure; null for the defaults.</param>
    /// <returns>Seconds a step; a step gives one token to each sequence.</returns>
    /// <exception cref="ArgumentException">There is no model, or an option is out of range.</exception>
    public static Comparison Decode(IEnumerable<(string Name, CausalLanguageModel Model)> models, int context = 64, int batch = 1, MeasurementOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        using var noGradient = no_grad();
        var caches = new List<KeyValueCache>();
        try
        {
            return Measurement.Compare(options ?? new(), [.. models.Select(model =>
            {
                var cache = new KeyValueCache();
                caches.Add(cache);
                Step(model.Model, batch, context, cache, position: 0);
                int position = context;
                return (model.Name, (Action)(() => Step(model.Model, batch, 1, cache, position++)));
            })]);
        }
        finally
        {
            foreach (var cache in caches) cache.Dispose();
        }
    }

    /// <summary>Times the prefill: from a prompt to the logits of its first new token.</summary>
    /// <param name="models">Name and model of each; the first is what the others are compared with.</param>
    /// <param name="promptTokens">Length of the prompt.</param>
    /// <param name="options">How to measure; null for the defaults.</param>
    /// <exception cref="ArgumentException">There is no model, or an option is out of range.</exception>
    public static Comparison Prefill(IEnumerable<(string Name, CausalLanguageModel Model)> models, int promptTokens, MeasurementOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(promptTokens);
        using var noGradient = no_grad();
        return Measurement.Compare(options ?? new(), [.. models.Select(model => (model.Name, (Action)(() =>
        {
            using var cache = new KeyValueCache();
            Step(model.Model, 1, promptTokens, cache, position: 0);
        })))]);
    }

    // Tokens differ, so that routers do not send all to the same experts.
    private static void Step(CausalLanguageModel model, int batch, int count, KeyValueCache cache, int position)
    {
        using var scope = NewDisposeScope();
        int vocabulary = model.Config.VocabularySize;
        long[] ids = [.. Enumerable.Range(0, batch * count).Select(i => (position + i) * 7919L % vocabulary)];
        model.forward(tensor(ids, [batch, count], device: model.Device), cache, lastOnly: true);
    }
}
