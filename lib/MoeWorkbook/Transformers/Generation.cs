using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Writing on: a language model's tokens, one after another.</summary>
public static class Generation
{
    /// <summary>Continues a prompt. The prompt is computed at once, then each new token on its own, on a cache.</summary>
    /// <param name="model">The model; it is in evaluation mode meanwhile.</param>
    /// <param name="prompt">The prompt's token ids, at least one.</param>
    /// <param name="options">How tokens are picked.</param>
    /// <param name="onToken">Called with each new token as soon as it is known.</param>
    /// <param name="cancellation">Ends the generation early; the tokens so far are returned.</param>
    /// <returns>The new tokens.</returns>
    /// <exception cref="ArgumentException">The prompt is empty or has an id outside the vocabulary, or an option is out of range.</exception>
    public static IReadOnlyList<long> Generate(this CausalLanguageModel model, IReadOnlyList<long> prompt, GenerationOptions options,
        Action<long>? onToken = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (prompt.Count == 0) throw new ArgumentException("prompt is empty; at least one token is needed.", nameof(prompt));

        var wasTraining = model.training;
        model.eval();
        try
        {
            return Continue(model, prompt, options, onToken, cancellation);
        }
        finally
        {
            model.train(wasTraining);
        }
    }

    /// <summary>Picks a token.</summary>
    /// <param name="logits">The logits of the whole vocabulary.</param>
    /// <param name="options">How to pick.</param>
    /// <param name="random">The source of the draw; unused at temperature 0.</param>
    /// <returns>The token's id. Of equal logits the lower id is the likelier.</returns>
    /// <exception cref="ArgumentException">There are no logits, one is no number, none is finite, or an option is out of range.</exception>
    public static long Pick(IReadOnlyList<float> logits, GenerationOptions options, Random random)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        options.Validate();
        var highest = logits.Any(float.IsNaN) ? float.NaN : logits.DefaultIfEmpty(float.NegativeInfinity).Max();
        if (!float.IsFinite(highest)) throw new ArgumentException("logits has no finite largest number: the model's output is broken.", nameof(logits));
        if (options.Temperature == 0) return Enumerable.Range(0, logits.Count).First(id => logits[id] == highest);

        var candidates = Enumerable.Range(0, logits.Count)
            .OrderByDescending(id => logits[id]).ThenBy(id => id) // likeliest first
            .Take(options.TopK ?? logits.Count)
            .Select(id => (Id: id, Mass: Math.Exp((logits[id] - highest) / options.Temperature)))
            .ToList();
        if (options.TopP is { } p)
        {
            var wanted = p * candidates.Sum(candidate => candidate.Mass);
            double before = 0;
            candidates = [.. candidates.TakeWhile(candidate =>
            {
                var taken = before < wanted;
                before += candidate.Mass;
                return taken;
            })];
        }

        var draw = random.NextDouble() * candidates.Sum(candidate => candidate.Mass);
        foreach (var (id, mass) in candidates)
            if ((draw -= mass) < 0) return id;
        return candidates[^1].Id; // rounding
    }

    private static List<long> Continue(CausalLanguageModel model, IReadOnlyList<long> prompt, GenerationOptions options,
        Action<long>? onToken, CancellationToken cancellation)
    {
        using var noGradient = no_grad();
        using var cache = new KeyValueCache();
        var random = new Random(options.Seed);
        var written = new List<long>();
        var next = prompt.ToArray();
        while (written.Count < options.MaxNewTokens && !cancellation.IsCancellationRequested)
        {
            using var scope = NewDisposeScope();
            var tokens = tensor(next, [1, next.Length], device: model.Device);
            var logits = model.forward(tokens, cache, lastOnly: true).to(ScalarType.Float32).cpu(); // [1, 1, vocabulary]
            var token = Pick(logits.data<float>().ToArray(), options, random);
            written.Add(token);
            onToken?.Invoke(token);
            if (options.StopTokens.Contains(token)) break;
            next = [token];
        }

        return written;
    }
}
