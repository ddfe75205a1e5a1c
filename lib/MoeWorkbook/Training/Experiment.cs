using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>One training run of a comparison.</summary>
/// <param name="Name">What tables and figures call it; runs that differ only in their seed share it.</param>
/// <param name="Model">The architecture.</param>
/// <param name="Corpus">What it trains on.</param>
/// <param name="Training">How.</param>
/// <param name="Balancing">How the experts are kept in use; null for not at all.</param>
public sealed record Experiment(string Name, ModelConfig Model, Corpus Corpus, TrainingOptions Training, BalancingOptions? Balancing = null)
{
    /// <summary>Where it computes; null for the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>What is done to the new model before its first step, such as giving its layers a runner of your own; null for nothing.</summary>
    public Action<CausalLanguageModel>? Prepare { get; init; }

    /// <summary>The same experiment with several seeds.</summary>
    /// <param name="count">How many; the seeds are 0, 1, ….</param>
    public IEnumerable<Experiment> WithSeeds(int count) =>
        Enumerable.Range(0, count).Select(seed => this with { Training = Training with { Seed = (ulong)seed } });
}
