using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A Mixture-of-Experts model between two dense ones that differ from it in nothing but the feed-forward size: one of equal total, one of equal active parameters (but for the routers).</summary>
public sealed class ModelTrio : IDisposable
{
    /// <summary>Builds the three with random weights.</summary>
    /// <param name="dense">A dense model whose feed-forward block is one expert of the Mixture of Experts.</param>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="expertsPerToken">Number of experts k of each token.</param>
    /// <param name="type">The type of the weights.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together.</exception>
    public ModelTrio(ModelConfig dense, int experts, int expertsPerToken, ScalarType type = ScalarType.BFloat16)
    {
        ArgumentNullException.ThrowIfNull(dense);
        Moe = Build(dense.MixtureOfExperts(experts, expertsPerToken));
        EqualTotal = Build(dense with { FeedForwardSize = experts * dense.FeedForwardSize });
        EqualActive = Build(dense with { FeedForwardSize = expertsPerToken * dense.FeedForwardSize });

        CausalLanguageModel Build(ModelConfig config)
        {
            var model = new CausalLanguageModel(config, dtype: type);
            model.eval();
            return model;
        }
    }

    /// <summary>The Mixture-of-Experts model.</summary>
    public CausalLanguageModel Moe { get; }

    /// <summary>The dense model of equal total parameters.</summary>
    public CausalLanguageModel EqualTotal { get; }

    /// <summary>The dense model of equal active parameters.</summary>
    public CausalLanguageModel EqualActive { get; }

    /// <summary>The three with the names they have in tables and figures.</summary>
    public IReadOnlyList<(string Name, CausalLanguageModel Model)> Named =>
        [("Mixture of Experts", Moe), ("dense, equal total", EqualTotal), ("dense, equal active", EqualActive)];

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        foreach (var (_, model) in Named) model.Dispose();
    }
}
