using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A text as a model routed it: for every token and layer the expert of largest combine weight, and the router's logits.</summary>
public sealed class RoutedText
{
    private const int WindowsTogether = 16;
    private readonly List<int>[] _experts;
    private readonly List<float>[] _logits;
    private readonly int[] _expertCounts;

    private RoutedText(IReadOnlyList<int> tokens, int[] expertCounts)
    {
        Tokens = tokens;
        _expertCounts = expertCounts;
        _experts = [.. expertCounts.Select(_ => new List<int>(tokens.Count))];
        _logits = [.. expertCounts.Select(experts => new List<float>(tokens.Count * experts))];
    }

    /// <summary>The token ids.</summary>
    public IReadOnlyList<int> Tokens { get; }

    /// <summary>Number of Mixture-of-Experts layers.</summary>
    public int LayerCount => _expertCounts.Length;

    /// <summary>Routes a text, in windows that do not see each other, without training-time randomness.</summary>
    /// <param name="model">A model with Mixture-of-Experts layers, whose routers give every token as many experts.</param>
    /// <param name="tokens">The text as token ids.</param>
    /// <param name="window">The longest stretch that is read at once, such as the sequence length of the training.</param>
    /// <exception cref="ArgumentException">The model is dense, there is no token, or a token id is outside the vocabulary.</exception>
    /// <exception cref="InvalidOperationException">A router lets experts choose.</exception>
    public static RoutedText Of(CausalLanguageModel model, IReadOnlyList<int> tokens, int window = 128)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(window);
        if (tokens.Count == 0) throw new ArgumentException("There is no token to route.", nameof(tokens));
        int[] expertCounts = [.. model.Decoder.Layers.Where(layer => layer.Moe is not null).Select(layer => layer.Moe!.Router.ExpertCount)];
        if (expertCounts.Length == 0) throw new ArgumentException("The model is dense: it has no router.", nameof(model));

        var text = new RoutedText([.. tokens], expertCounts);
        var training = model.training;
        model.eval();
        try
        {
            var whole = tokens.Count / window * window;
            foreach (var windows in Enumerable.Range(0, tokens.Count / window).Chunk(WindowsTogether))
                text.Add(model, windows[0] * window, windows.Length, window);
            if (whole < tokens.Count) text.Add(model, whole, 1, tokens.Count - whole);
        }
        finally
        {
            model.train(training);
        }

        return text;
    }

    /// <summary>The expert of each token.</summary>
    /// <param name="layer">The number of the Mixture-of-Experts layer, from 0.</param>
    public IReadOnlyList<int> Experts(int layer) => _experts[layer];

    /// <summary>The mean of the router's logits over some of the tokens, one number for each expert.</summary>
    /// <param name="layer">The number of the Mixture-of-Experts layer, from 0.</param>
    /// <param name="which">Which tokens count, by their place in the text.</param>
    /// <exception cref="ArgumentException">None of them counts.</exception>
    public double[] MeanLogits(int layer, Func<int, bool> which)
    {
        ArgumentNullException.ThrowIfNull(which);
        var experts = _expertCounts[layer];
        int[] counted = [.. Enumerable.Range(0, Tokens.Count).Where(which)];
        if (counted.Length == 0) throw new ArgumentException("No token counts.", nameof(which));
        return [.. Enumerable.Range(0, experts).Select(expert => counted.Average(token => _logits[layer][token * experts + expert]))];
    }

    private void Add(CausalLanguageModel model, int start, int windows, int window)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        long[] stretch = [.. Tokens.Skip(start).Take(windows * window).Select(id => (long)id)];
        var ids = tensor(stretch, [windows, window], device: model.Device);
        var routing = new List<RoutingDecision>();
        model.forward(ids, cache: null, routing);
        for (var layer = 0; layer < routing.Count; layer++)
        {
            _experts[layer].AddRange(routing[layer].TopKExperts.select(1, 0).cpu().contiguous().data<long>().ToArray().Select(expert => (int)expert));
            _logits[layer].AddRange(routing[layer].Logits.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray());
        }
    }
}
