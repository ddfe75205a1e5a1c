namespace MoeWorkbook;

/// <summary>Trains a language model on a corpus, step by step. With one thread, the same options and seed give the same history bit for bit.</summary>
/// <remarks>All randomness comes from the seed and the number of the step, none from TorchSharp's global generator: trainers in several threads do not disturb each other.</remarks>
public sealed class Trainer : IDisposable
{
    /// <summary>A trainer of a new model.</summary>
    /// <param name="model">The architecture; its vocabulary holds the corpus's.</param>
    /// <param name="corpus">What to train and validate on.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="balancing">How the experts are kept in use; null for not at all.</param>
    /// <exception cref="ArgumentException">The options contradict themselves, or the vocabulary is too small.</exception>
    public Trainer(ModelConfig model, Corpus corpus, TrainingOptions? options = null, BalancingOptions? balancing = null) =>
        throw new NotImplementedException($"{model} {corpus} {options} {balancing}");

    /// <summary>The model, with the router that the balancing options ask for. It belongs to the trainer.</summary>
    public CausalLanguageModel Model { get; }

    /// <summary>What it trains and validates on.</summary>
    public Corpus Corpus { get; }

    /// <summary>How it trains.</summary>
    public TrainingOptions Options { get; }

    /// <summary>How the experts are kept in use.</summary>
    public BalancingOptions Balancing { get; }

    /// <summary>What happened so far.</summary>
    public TrainingHistory History { get; } = new();

    /// <summary>How many steps are done.</summary>
    public int CompletedSteps => History.Steps.Count;

    /// <summary>Takes the next step and adds it to the history.</summary>
    public TrainingStep Step() => throw new NotImplementedException();

    /// <summary>Validates on fixed batches, in evaluation mode: the same batches each time, and for every trainer with the same corpus, sequence length and number of tokens.</summary>
    /// <param name="tokens">About how many tokens; null for <see cref="TrainingOptions.ValidationTokens"/>.</param>
    public ValidationResult Validate(int? tokens = null) => throw new NotImplementedException($"{tokens}");

    /// <summary>Takes all remaining steps, with validations as the options ask.</summary>
    /// <param name="progress">Receives a line every few seconds with the loss and the time left; null for none.</param>
    /// <param name="cancellation">Ends the run after the current step, without an exception: <see cref="CompletedSteps"/> tells how far it came.</param>
    /// <param name="afterStep">Called after each step; null for nothing.</param>
    /// <returns>The history.</returns>
    public TrainingHistory Run(TextWriter? progress = null, Action<TrainingStep>? afterStep = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException($"{progress} {afterStep} {cancellation}");

    /// <summary>Frees the model.</summary>
    public void Dispose() => throw new NotImplementedException();
}
