namespace MoeWorkbook;

/// <summary>What is kept of a finished training run: enough for every figure, small enough for a file.</summary>
public sealed record TrainingRun
{
    private const int Stretches = 50;

    /// <summary>The name of the experiment; runs that differ only in their seed share it.</summary>
    public string Name { get; init; } = "";

    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>All parameters.</summary>
    public required long TotalParameters { get; init; }

    /// <summary>The parameters that one token touches, by the workbook's convention (<see cref="ActiveConvention.AllIn"/>).</summary>
    public required long ActiveParameters { get; init; }

    /// <summary>Operations of one token's forward pass, the attention at its mean length.</summary>
    public required long ForwardFlopsPerToken { get; init; }

    /// <summary>The course of the training in at most fifty stretches. Each is written as a step: its last number, its sums of tokens, seconds and load, and
    /// the means of all else.</summary>
    public required IReadOnlyList<TrainingStep> Stages { get; init; }

    /// <summary>The validations, in order; only the last keeps its load.</summary>
    public required IReadOnlyList<ValidationResult> Validations { get; init; }

    /// <summary>The loss of the last validation, in nats a token.</summary>
    public double FinalLoss => Validations[^1].Loss;

    /// <summary>What is kept of a trainer that is done.</summary>
    /// <param name="trainer">The trainer; it knows no name.</param>
    /// <exception cref="InvalidOperationException">It has not taken a step, or was never validated.</exception>
    public static TrainingRun Of(Trainer trainer)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        var (history, config) = (trainer.History, trainer.Model.Config);
        if (history.Steps.Count == 0 || history.Validations.Count == 0) throw new InvalidOperationException("The trainer has not taken a step, or was never validated.");
        var count = ParameterCount.Of(config);
        var length = (history.Steps.Count + Stretches - 1) / Stretches;
        return new()
        {
            Seed = trainer.Options.Seed,
            TotalParameters = count.TotalParameters,
            ActiveParameters = count.ActiveParameters,
            ForwardFlopsPerToken = ForwardFlops.PerToken(config, (trainer.Options.SequenceLength + 1) / 2).Total,
            Stages = [.. history.Steps.Chunk(length).Select(Stage)],
            Validations =
                [.. history.Validations.Select((validation, i) => Short(i < history.Validations.Count - 1 ? validation with { DomainLoad = [] } : validation))],
        };
    }

    /// <summary>The validation loss against what was spent, as <see cref="SpeedUp"/> and the figures take it.</summary>
    /// <param name="cost">What counts as spent.</param>
    public IReadOnlyList<(double Spent, double Loss)> Curve(TrainingCost cost) =>
        [.. Validations.Select(validation => (Spent(validation.Step, cost), validation.Loss))];

    /// <summary>Training tokens a second, validation left out.</summary>
    public double TokensPerSecond => Stages.Sum(stage => stage.Tokens) / Stages.Sum(stage => stage.Seconds);

    private double Spent(int step, TrainingCost cost)
    {
        if (cost == TrainingCost.Steps) return step;
        double sum = 0;
        var before = 0;
        foreach (var stage in Stages)
        {
            var share = Math.Clamp((double)(step - before) / (stage.Step - before), 0, 1);
            sum += share * (cost == TrainingCost.Seconds ? stage.Seconds : 3.0 * ForwardFlopsPerToken * stage.Tokens);
            before = stage.Step;
        }

        return sum;
    }

    private static TrainingStep Stage(TrainingStep[] steps) => steps[^1] with
    {
        Loss = JsonText.Rounded(steps.Average(step => step.Loss)),
        BalancingLoss = JsonText.Rounded(steps.Average(step => step.BalancingLoss)),
        ZLoss = JsonText.Rounded(steps.Average(step => step.ZLoss)),
        OtherLosses = steps[^1].OtherLosses?.ToDictionary(one => one.Key, one => JsonText.Rounded(steps.Average(step => step.OtherLosses![one.Key]))),
        GradientNorm = JsonText.Rounded(steps.Average(step => step.GradientNorm)),
        LearningRate = JsonText.Rounded(steps.Average(step => step.LearningRate)),
        Load =
            [.. steps[0].Load.Select((experts, layer) => (IReadOnlyList<long>)[.. experts.Select((_, expert) => steps.Sum(step => step.Load[layer][expert]))])],
        RouterEntropy = [.. steps[0].RouterEntropy.Select((_, layer) => JsonText.Rounded(steps.Average(step => step.RouterEntropy[layer])))],
        DroppedShare = JsonText.Rounded(steps.Average(step => step.DroppedShare)),
        Tokens = steps.Sum(step => step.Tokens),
        Seconds = JsonText.Rounded(steps.Sum(step => step.Seconds)),
    };

    private static ValidationResult Short(ValidationResult validation) => validation with
    {
        Loss = JsonText.Rounded(validation.Loss),
        DomainLosses = [.. validation.DomainLosses.Select(loss => loss is { } known ? JsonText.Rounded(known) : (double?)null)],
    };
}
