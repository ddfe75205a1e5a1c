namespace MoeWorkbook;

/// <summary>Everything that a training run needs to go on exactly as if it had not stopped: weights, optimiser moments, history.</summary>
/// <remarks>A checkpoint is a directory <c>checkpoint-STEP</c>. It appears by a rename when all of it is on the disk, and only then the one before it is removed: whenever a run is killed, a whole one is there.</remarks>
public static class TrainingCheckpoint
{
    /// <summary>Saves where a trainer is.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="directory">The directory that holds the run's checkpoints; made where it does not exist.</param>
    /// <exception cref="CheckpointException">It cannot be written.</exception>
    public static void Save(Trainer trainer, string directory) => throw new NotImplementedException($"{trainer} {directory}");

    /// <summary>Brings a new trainer, made with the same model, corpus and options, to where the last checkpoint was taken.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="directory">The directory that holds the run's checkpoints.</param>
    /// <returns>Whether there was a checkpoint.</returns>
    /// <exception cref="CheckpointException">The checkpoint cannot be read, or was taken with another model, corpus or options; the message says which differ.</exception>
    public static bool TryResume(Trainer trainer, string directory) => throw new NotImplementedException($"{trainer} {directory}");
}
