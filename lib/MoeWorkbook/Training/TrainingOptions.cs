namespace MoeWorkbook;

/// <summary>How a model is trained: AdamW with a linear warm-up and a cosine decay.</summary>
public sealed record TrainingOptions
{
    /// <summary>Number of steps.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Sequences in a batch.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Tokens in a sequence.</summary>
    public int SequenceLength { get; init; } = 64;

    /// <summary>The largest learning rate, reached at the end of the warm-up.</summary>
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Steps over which the learning rate rises linearly from 0.</summary>
    public int WarmupSteps { get; init; } = 50;

    /// <summary>The last step's learning rate as a share of the largest.</summary>
    public double FinalLearningRateShare { get; init; } = 0.1;

    /// <summary>Decoupled weight decay, on matrices only (Loshchilov &amp; Hutter 2019).</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>The decay rate β₁ of the gradient's mean.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay rate β₂ of the squared gradient's mean.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>What is added to the root of the squared gradient's mean.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The norm to which a longer gradient is shortened.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>The standard deviation σ of the initial matrices; those that write into the residual stream have σ / √(2 · layers) (Radford et al.
    /// 2019).</summary>
    public double InitialDeviation { get; init; } = 0.02;

    /// <summary>Fixes the initial weights, the batches and the routers' noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>Steps from one validation to the next; 0 for one at the end only.</summary>
    public int ValidateEvery { get; init; }

    /// <summary>Tokens of a validation, about; rounded up to whole batches.</summary>
    public int ValidationTokens { get; init; } = 16_384;

    /// <summary>The learning rate of a step: it rises linearly to <see cref="LearningRate"/> at step <see cref="WarmupSteps"/> and falls along a half cosine to
    /// its final share at the last step.</summary>
    /// <param name="step">The step, from 1.</param>
    public double LearningRateAt(int step)
    {
        if (step <= WarmupSteps) return LearningRate * step / WarmupSteps;
        var progress = Math.Min(1, (double)(step - WarmupSteps) / Math.Max(1, Steps - WarmupSteps));
        return LearningRate * (FinalLearningRateShare + (1 - FinalLearningRateShare) * (1 + Math.Cos(Math.PI * progress)) / 2);
    }

    /// <summary>Checks that the numbers make sense.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it, its value and what is allowed.</exception>
    public void Validate()
    {
        Require(Steps >= 1, nameof(Steps), Steps, "at least 1");
        Require(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Require(SequenceLength >= 1, nameof(SequenceLength), SequenceLength, "at least 1");
        Require(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "above 0");
        Require(WarmupSteps >= 0 && WarmupSteps <= Steps, nameof(WarmupSteps), WarmupSteps, $"from 0 to Steps, {Steps}");
        Require(FinalLearningRateShare is >= 0 and <= 1, nameof(FinalLearningRateShare), FinalLearningRateShare, "from 0 to 1");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "at least 0");
        Require(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "from 0 to below 1");
        Require(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "from 0 to below 1");
        Require(Epsilon > 0, nameof(Epsilon), Epsilon, "above 0");
        Require(MaxGradientNorm > 0, nameof(MaxGradientNorm), MaxGradientNorm, "above 0");
        Require(InitialDeviation > 0 && double.IsFinite(InitialDeviation), nameof(InitialDeviation), InitialDeviation, "above 0");
        Require(ValidateEvery >= 0, nameof(ValidateEvery), ValidateEvery, "at least 0");
        Require(ValidationTokens >= 1, nameof(ValidationTokens), ValidationTokens, "at least 1");
    }

    private static void Require(bool holds, string name, object value, string allowed)
    {
        if (!holds) throw new ArgumentException($"{name} is {value}; it must be {allowed}.");
    }
}
