namespace MoeWorkbook;

/// <summary>A training cannot go on: its loss, its gradient or its weights are no longer finite numbers.</summary>
/// <param name="step">The step, from 1, at which that was found.</param>
/// <param name="what">What is not finite, and its value.</param>
public sealed class TrainingDivergedException(int step, string what)
    : Exception($"the training diverged at step {step}: {what}. A lower learning rate, or more steps of warm-up, may help.")
{
    /// <summary>The step, from 1, at which that was found; the weights are still those of the step before it.</summary>
    public int Step { get; } = step;
}
