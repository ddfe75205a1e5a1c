using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Everything that a training run needs to go on exactly as if it had not stopped: weights, optimiser moments, history. Batches and noise follow from
/// the seed and the number of the step.</summary>
/// <remarks>A checkpoint is a directory <c>checkpoint-STEP</c>. It appears by a rename when all of it is on the disk, and only then the one before it is
/// removed: whenever a run is killed, a whole one is there.</remarks>
public static class TrainingCheckpoint
{
    private const string Prefix = "checkpoint-", State = "state.safetensors", History = "history.jsonl", Run = "run.json";
    private const string Weight = "weight.", Mean = "mean.", Square = "square.";

    /// <summary>Saves where a trainer is.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="directory">The directory that holds the run's checkpoints; made where it does not exist.</param>
    /// <exception cref="CheckpointException">It cannot be written.</exception>
    /// <exception cref="TrainingDivergedException">A weight is not finite; the checkpoint before is kept.</exception>
    public static void Save(Trainer trainer, string directory)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var target = Path.Combine(directory, Prefix + trainer.CompletedSteps.ToString("D8", CultureInfo.InvariantCulture));
        if (Directory.Exists(target)) return; // the same step, saved before, and a run has only one state after it
        var temporary = $"{target}.tmp";
        CheckWeights(trainer);
        try
        {
            Delete(temporary);
            Directory.CreateDirectory(temporary);
            File.WriteAllText(Path.Combine(temporary, Run), Describe(trainer).ToJsonString(JsonText.Indented));
            trainer.History.Write(Path.Combine(temporary, History));
            WriteState(trainer, Path.Combine(temporary, State));
            foreach (var file in Directory.EnumerateFiles(temporary)) Flush(file);
            Directory.Move(temporary, target);
            foreach (var other in Directory.EnumerateDirectories(directory, Prefix + "*"))
                if (Path.GetFileName(other) != Path.GetFileName(target)) Delete(other);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(target, null, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Brings a new trainer, made with the same model, corpus and options, to where the last checkpoint was taken.</summary>
    /// <param name="trainer">The trainer.</param>
    /// <param name="directory">The directory that holds the run's checkpoints.</param>
    /// <returns>Whether there was a checkpoint.</returns>
    /// <exception cref="CheckpointException">The checkpoint cannot be read, or was taken with another model, corpus or options; the message says which
    /// differ.</exception>
    public static bool TryResume(Trainer trainer, string directory)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (Last(directory) is not { } checkpoint) return false;
        CheckRun(trainer, Path.Combine(checkpoint, Run));
        using var state = SafetensorsFile.Open(Path.Combine(checkpoint, State));
        ReadState(trainer, state);
        trainer.History = TrainingHistory.Read(Path.Combine(checkpoint, History));
        return true;
    }

    /// <summary>Removes a run's checkpoints, of which none is needed after its end.</summary>
    /// <param name="directory">The directory that holds the run's checkpoints.</param>
    public static void Remove(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        foreach (var checkpoint in Directory.EnumerateDirectories(directory, Prefix + "*")) Delete(checkpoint);
    }

    /// <summary>The whole checkpoint of the most steps; one that is being written, or removed while a later one is there, does not count.</summary>
    private static string? Last(string directory) => !Directory.Exists(directory) ? null
        : Directory.EnumerateDirectories(directory, Prefix + "*").Where(path => !path.EndsWith(".tmp", StringComparison.Ordinal)).Max(StringComparer.Ordinal);

    private static void CheckWeights(Trainer trainer)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in trainer.Model.named_parameters())
            if (!parameter.isfinite().all().cpu().item<bool>()) throw new TrainingDivergedException(trainer.CompletedSteps, $"the weights of {name} are not finite");
    }

    private static void WriteState(Trainer trainer, string path)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var tensors = trainer.Model.named_parameters().ToDictionary(p => Weight + p.name, p => p.parameter.detach());
        foreach (var (name, mean, square) in trainer.Optimizer.Moments)
        {
            tensors.Add(Mean + name, mean);
            tensors.Add(Square + name, square);
        }

        SafetensorsWriter.Write(path, tensors);
    }

    private static void ReadState(Trainer trainer, SafetensorsFile state)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in trainer.Model.named_parameters()) state.CopyTo(Weight + name, parameter.detach());
        foreach (var (name, mean, square) in trainer.Optimizer.Moments)
        {
            state.CopyTo(Mean + name, mean);
            state.CopyTo(Square + name, square);
        }
    }

    /// <summary>What a run hangs on. Two runs with the same description take the same steps.</summary>
    private static JsonObject Describe(Trainer trainer) => new()
    {
        ["model"] = JsonSerializer.SerializeToNode(trainer.Model.Config),
        ["training"] = JsonSerializer.SerializeToNode(trainer.Options),
        ["balancing"] = JsonSerializer.SerializeToNode(trainer.Balancing),
        ["corpus"] = new JsonObject { ["Name"] = trainer.Corpus.Name, ["Training"] = trainer.Corpus.Training.Checksum, ["Validation"] = trainer.Corpus.Validation.Checksum },
    };

    private static void CheckRun(Trainer trainer, string path)
    {
        JsonNode? saved;
        try
        {
            saved = JsonNode.Parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new CheckpointException(path, null, $"cannot be read: {e.Message}", e);
        }

        foreach (var (part, now) in Describe(trainer))
        {
            foreach (var (name, value) in now!.AsObject())
            {
                var before = saved?[part]?[name];
                if (!JsonNode.DeepEquals(before, value))
                    throw new CheckpointException(path, null, $"{part} has {name} = {before?.ToJsonString() ?? "null"} but this run has {value?.ToJsonString() ?? "null"}: resume with what the run began with, or choose another directory.");
            }
        }
    }

    private static void Flush(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Flush(flushToDisk: true);
    }

    private static void Delete(string directory)
    {
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }
}
