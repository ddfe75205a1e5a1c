namespace MoeWorkbook;

/// <summary>Runs many experiments, one on each core: small models train faster side by side than one after another with all cores.</summary>
public static class Laboratory
{
    /// <summary>Trains every experiment to its end and reads something off each. Each runs on one thread, so the results are the same whatever the number of workers.</summary>
    /// <param name="experiments">The experiments.</param>
    /// <param name="read">What is wanted of a trained model; it is called on the experiment's thread, and the trainer is disposed after it. Tensors must not be returned.</param>
    /// <param name="workers">How many run at the same time; null for one a core.</param>
    /// <param name="progress">Receives a line for every finished run; null for none.</param>
    /// <param name="cancellation">Stops all runs with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>What was read, in the order of the experiments.</returns>
    public static IReadOnlyList<T> Run<T>(IEnumerable<Experiment> experiments, Func<Trainer, T> read, int? workers = null, TextWriter? progress = null, CancellationToken cancellation = default) =>
        throw new NotImplementedException($"{experiments} {read} {workers} {progress} {cancellation}");
}
