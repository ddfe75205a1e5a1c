using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Runs many experiments, one on each core: small models train faster side by side than one after another with all cores. Experiments on a GPU share
/// it.</summary>
public static class ExperimentRunner
{
    /// <summary>Trains every experiment to its end and keeps what figures and recordings need.</summary>
    /// <param name="experiments">The experiments.</param>
    /// <param name="progress">Receives a line for every finished run; null for none.</param>
    /// <param name="cancellation">Stops all runs after their current step, with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The runs, in the order of the experiments.</returns>
    public static IReadOnlyList<TrainingRun> Run(IEnumerable<Experiment> experiments, TextWriter? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(experiments);
        var all = experiments.ToArray();
        return [.. all.Zip(Run(all, TrainingRun.Of, progress: progress, cancellation: cancellation), (experiment, run) => run with { Name = experiment.Name })];
    }

    /// <summary>Trains every experiment to its end and reads something off each. Each runs on one thread, so the results are the same whatever the number of
    /// workers.</summary>
    /// <param name="experiments">The experiments.</param>
    /// <param name="read">What is wanted of a trained model; it is called on the experiment's thread, and the trainer is disposed after it. Tensors must not be
    /// returned.</param>
    /// <param name="workers">How many run at the same time; null for one a core.</param>
    /// <param name="progress">Receives a line for every finished run; null for none.</param>
    /// <param name="cancellation">Stops all runs after their current step, with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>What was read, in the order of the experiments.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of workers is not positive.</exception>
    public static IReadOnlyList<T> Run<T>(IEnumerable<Experiment> experiments, Func<Trainer, T> read, int? workers = null, TextWriter? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(experiments);
        ArgumentNullException.ThrowIfNull(read);
        if (workers is { } count) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(workers));
        var all = experiments.ToArray();
        var results = new T[all.Length];
        var (next, done) = (0, 0);
        ExceptionDispatchInfo? failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var threadsBefore = get_num_threads();
        var threads = Enumerable.Range(0, Math.Min(all.Length, workers ?? Environment.ProcessorCount)).Select(_ => new Thread(Work) { IsBackground = true })
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        set_num_threads(threadsBefore); // libtorch gives threads to come what was set last
        cancellation.ThrowIfCancellationRequested();
        failure?.Throw();
        return results;

        void Work()
        {
            try
            {
                set_num_threads(1); // this thread's own number
                while (Interlocked.Increment(ref next) - 1 is var i && i < all.Length && !stop.IsCancellationRequested)
                {
                    results[i] = Run(all[i]);
                    progress?.WriteLine($"{Interlocked.Increment(ref done)} of {all.Length}: {all[i].Name}, seed {all[i].Training.Seed}");
                }
            }
            catch (Exception e)
            {
                // The first one counts: what it stops in the other threads follows from it.
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                stop.Cancel();
            }
        }

        T Run(Experiment experiment)
        {
            using var trainer = new Trainer(experiment.Model, experiment.Corpus, experiment.Training, experiment.Balancing, experiment.Device);
            experiment.Prepare?.Invoke(trainer.Model);
            trainer.Run(cancellation: stop.Token);
            stop.Token.ThrowIfCancellationRequested();
            return read(trainer);
        }
    }
}
