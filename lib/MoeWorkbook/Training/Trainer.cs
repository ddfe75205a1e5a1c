using System.Diagnostics;
using System.Globalization;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Trains a language model on a corpus, step by step. With one thread of the CPU, the same options and seed give the same history bit for
/// bit.</summary>
/// <remarks>All randomness comes from the seed and the number of the step, none from TorchSharp's global generator: trainers in several threads do not disturb
/// each other.</remarks>
public sealed class Trainer : IDisposable
{
    private static readonly TimeSpan _betweenLines = TimeSpan.FromSeconds(3);

    private readonly MoeLayer[] _layers;
    private readonly AuxiliaryLoss[] _losses; // none in a dense model

    /// <summary>A trainer of a new model.</summary>
    /// <param name="model">The architecture; its vocabulary holds the corpus's.</param>
    /// <param name="corpus">What to train and validate on.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="balancing">How the experts are kept in use; null for not at all.</param>
    /// <param name="device">Where the model computes; null for the CPU. It begins with the same weights and sees the same batches and noise on every
    /// device.</param>
    /// <exception cref="ArgumentException">The options contradict themselves, the vocabulary is too small, or a text is shorter than a sequence.</exception>
    public Trainer(ModelConfig model, Corpus corpus, TrainingOptions? options = null, BalancingOptions? balancing = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(corpus);
        (Corpus, Options, Balancing) = (corpus, options ?? new(), balancing ?? new());
        Options.Validate();
        Balancing.Validate();
        if (model.VocabularySize < corpus.VocabularySize)
            throw new ArgumentException($"model.VocabularySize is {model.VocabularySize} but the corpus {corpus.Name} has {corpus.VocabularySize} tokens.", nameof(model));
        foreach (var (use, text) in new[] { ("train", corpus.Training), ("validate", corpus.Validation) })
            if (text.Length <= Options.SequenceLength)
                throw new ArgumentException($"The corpus {corpus.Name} has {text.Length} tokens to {use} on; a sequence of {Options.SequenceLength} (sequence_length) and the token after it must fit in.", nameof(corpus));
        using var generator = new Generator(RandomSource.Seed(Options.Seed, 0));
        var init = new ParameterInit(device)
        {
            Generator = generator,
            StandardDeviation = Options.InitialDeviation,
            ResidualScale = 1 / Math.Sqrt(2 * model.LayerCount)
        };
        Model = new(Balancing.ApplyTo(model), init, Balancing.NewRouter);
        _layers = [.. Model.MoeLayers];
        _losses = _layers.Length == 0 ? [] : [.. Balancing.AllLosses];
        if (Balancing.BiasUpdateRate > 0 && Array.Find(_layers, layer => layer.Router is not LinearRouter { SelectionBias: not null }) is { } without)
            throw new ArgumentException($"BiasUpdateRate is {Balancing.BiasUpdateRate} but the {without.Router.GetType().Name} has no selection bias.", nameof(balancing));
        using (no_grad())
        {
            if (Balancing.RouterScale != 1)
                foreach (var router in _layers.Select(layer => layer.Router).OfType<LinearRouter>()) router.Weight.mul_(Balancing.RouterScale);
        }

        Optimizer = new(Model);
    }

    /// <summary>The model, with the router that the balancing options ask for. It belongs to the trainer.</summary>
    public CausalLanguageModel Model { get; }

    /// <summary>What it trains and validates on.</summary>
    public Corpus Corpus { get; }

    /// <summary>How it trains.</summary>
    public TrainingOptions Options { get; }

    /// <summary>How the experts are kept in use.</summary>
    public BalancingOptions Balancing { get; }

    /// <summary>What happened so far.</summary>
    public TrainingHistory History { get; internal set; } = new();

    /// <summary>How many steps are done.</summary>
    public int CompletedSteps => History.Steps.Count;

    internal AdamWOptimizer Optimizer { get; }

    /// <summary>Takes all remaining steps, with validations as the options ask and one at the end.</summary>
    /// <param name="progress">Receives a line every few seconds with the loss and the time left; null for none.</param>
    /// <param name="afterStep">Called after each step, and after the validation that belongs to it; null for nothing.</param>
    /// <param name="cancellation">Ends the run after the current step, without an exception: <see cref="CompletedSteps"/> tells how far it came.</param>
    /// <returns>The history.</returns>
    /// <exception cref="TrainingDivergedException">A loss or a gradient is not finite.</exception>
    public TrainingHistory Run(TextWriter? progress = null, Action<TrainingStep>? afterStep = null, CancellationToken cancellation = default)
    {
        var (watch, before, spoken) = (Stopwatch.StartNew(), CompletedSteps, TimeSpan.Zero);
        while (CompletedSteps < Options.Steps && !cancellation.IsCancellationRequested)
        {
            var step = Step();
            if (step.Step == Options.Steps || (Options.ValidateEvery > 0 && step.Step % Options.ValidateEvery == 0)) History.Add(Validate());
            afterStep?.Invoke(step);
            if (progress is null || (watch.Elapsed - spoken < _betweenLines && step.Step < Options.Steps)) continue;
            spoken = watch.Elapsed;
            var left = spoken / (step.Step - before) * (Options.Steps - step.Step);
            progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {step.Step} of {Options.Steps}: loss {step.Loss:F3}, {step.TokensPerSecond:N0} tokens/s, {left:m\\:ss} left"));
        }

        return History;
    }

    /// <summary>Takes the next step and adds it to the history.</summary>
    /// <exception cref="InvalidOperationException">All steps are done.</exception>
    /// <exception cref="TrainingDivergedException">The loss or the gradient is not finite; the weights are left as they were.</exception>
    public TrainingStep Step()
    {
        if (CompletedSteps >= Options.Steps) throw new InvalidOperationException($"All {Options.Steps} steps are done.");
        var start = Stopwatch.GetTimestamp();
        var number = CompletedSteps + 1;
        using var scope = NewDisposeScope();
        using var generator = new Generator(RandomSource.Seed(Options.Seed, 2 * (ulong)number + 1));
        using var batch = Corpus.Training.Draw(Options.BatchSize, Options.SequenceLength, RandomSource.Seed(Options.Seed, 2 * (ulong)number));
        var routing = new List<RoutingDecision>();

        SetTraining(true);
        Model.zero_grad();
        var logits = Model.forward(batch.Tokens.to(Model.Device), cache: null, routing, generator); // [batch, sequence, vocabulary]
        var loss = functional.cross_entropy(logits.flatten(0, 1), batch.Targets.to(Model.Device).flatten());
        var auxiliary = _losses.Select(one => (one.Name, one.Weight, Mean: MeanOverLayers(one, routing))).ToArray();
        var total = auxiliary.Where(one => one.Weight > 0).Aggregate(loss, (sum, one) => sum + one.Mean * one.Weight);
        total.backward();

        var value = loss.cpu().item<float>();
        if (!float.IsFinite(value)) throw new TrainingDivergedException(number, $"the loss is {value}");
        var norm = Optimizer.Step(number, Options);
        if (!double.IsFinite(norm)) throw new TrainingDivergedException(number, $"the norm of the gradient is {norm}");
        if (Balancing.BiasUpdateRate > 0)
            foreach (var (layer, decision) in _layers.Zip(routing)) ((LinearRouter)layer.Router).UpdateSelectionBias(decision, Balancing.BiasUpdateRate);

        var step = new TrainingStep
        {
            Step = number,
            Loss = value,
            BalancingLoss = auxiliary is [var balancing, ..] ? balancing.Mean.cpu().item<float>() : 0,
            ZLoss = auxiliary is [_, var z, ..] ? z.Mean.cpu().item<float>() : 0,
            OtherLosses = auxiliary.Length <= 2 ? null : auxiliary.Skip(2).ToDictionary(one => one.Name, one => (double)one.Mean.cpu().item<float>()),
            GradientNorm = norm,
            LearningRate = Options.LearningRateAt(number),
            Load = [.. routing.Select(decision => decision.Load().cpu().data<long>().ToArray())],
            RouterEntropy = [.. routing.Select(Entropy)],
            DroppedShare = DroppedShare(routing),
            Tokens = Options.BatchSize * Options.SequenceLength,
        };
        step = step with { Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds };
        History.Add(step);
        return step;
    }

    /// <summary>Validates on fixed batches, in evaluation mode, without dropping: the same batches each time, and for every trainer with the same corpus, sizes
    /// of a batch and number of tokens.</summary>
    /// <param name="tokens">About how many tokens; null for <see cref="TrainingOptions.ValidationTokens"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of tokens is not positive.</exception>
    /// <exception cref="TrainingDivergedException">The loss is not finite.</exception>
    public ValidationResult Validate(int? tokens = null)
    {
        var wanted = tokens ?? Options.ValidationTokens;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wanted, nameof(tokens));
        var perBatch = Options.BatchSize * Options.SequenceLength;
        var batches = (wanted + perBatch - 1) / perBatch;
        var (losses, counts) = (new double[Corpus.Domains.Count], new long[Corpus.Domains.Count]);
        var load = _layers.Select(layer => Corpus.Domains.Select(_ => new long[layer.Router.ExpertCount]).ToArray()).ToArray();
        using var noGradient = no_grad();
        SetTraining(false);
        for (var i = 0; i < batches; i++)
        {
            using var scope = NewDisposeScope();
            using var batch = Corpus.Validation.Draw(Options.BatchSize, Options.SequenceLength, (ulong)i);
            var routing = new List<RoutingDecision>();
            var logits = Model.forward(batch.Tokens.to(Model.Device), cache: null, routing);
            var each = functional.cross_entropy(logits.flatten(0, 1), batch.Targets.to(Model.Device).flatten(), reduction: Reduction.None).cpu().data<float>()
                .ToArray(); // [tokens]
            var (domains, targetDomains) = (batch.Domains.data<long>().ToArray(), batch.TargetDomains.data<long>().ToArray());
            for (var t = 0; t < each.Length; t++)
            {
                losses[targetDomains[t]] += each[t];
                counts[targetDomains[t]]++;
            }

            foreach (var (decision, ofLayer) in routing.Zip(load))
                foreach (var (token, expert) in decision.Tokens.cpu().data<long>().ToArray().Zip(decision.Experts.cpu().data<long>().ToArray()))
                    ofLayer[domains[token]][expert]++;
        }

        var mean = losses.Sum() / counts.Sum();
        if (!double.IsFinite(mean)) throw new TrainingDivergedException(CompletedSteps, $"the validation loss is {mean}");
        return new()
        {
            Step = CompletedSteps,
            Loss = mean,
            DomainLosses = [.. losses.Zip(counts, (loss, count) => count == 0 ? (double?)null : loss / count)],
            Tokens = (int)counts.Sum(),
            DomainLoad = load,
        };
    }

    /// <summary>Frees the model and the optimiser's moments.</summary>
    public void Dispose()
    {
        Model.Dispose();
        Optimizer.Dispose();
    }

    private void SetTraining(bool training)
    {
        if (Model.training != training) Model.train(training);
        foreach (var layer in _layers) layer.Capacity = training ? Balancing.Capacity : null;
    }

    /// <summary>A loss averaged over the layers; with a gradient only where it has a weight.</summary>
    private static Tensor MeanOverLayers(AuxiliaryLoss loss, List<RoutingDecision> routing)
    {
        using var noGradient = loss.Weight > 0 ? null : no_grad();
        return stack(routing.Select(loss.Compute).ToArray()).mean();
    }

    /// <summary>The mean over tokens of the entropy of their scores, which are divided by their sum: sigmoids do not sum to one.</summary>
    private static double Entropy(RoutingDecision routing)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var probabilities = routing.Scores / routing.Scores.sum(-1, keepdim: true); // [tokens, experts]
        return -(probabilities * probabilities.clamp_min(1e-20).log()).sum().cpu().item<float>() / routing.TokenCount;
    }

    private static double DroppedShare(List<RoutingDecision> routing)
    {
        using var scope = NewDisposeScope();
        var assignments = routing.Sum(decision => decision.Kept.numel());
        return assignments == 0 ? 0 : 1 - (double)routing.Sum(decision => decision.Kept.sum(ScalarType.Int64).cpu().item<long>()) / assignments;
    }
}
