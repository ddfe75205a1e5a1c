using System.CommandLine;

namespace MoeWorkbook.Cli;

/// <summary><c>train</c>: trains a model as a file says, and leaves a Hugging Face directory with the history of the run.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("config") { Description = "A JSON file with \"model\" (as in a Hugging Face config.json), \"corpus\", \"training\" and \"balancing\"; see data/training." };
        var output = new Option<string>("--output") { Description = "The directory to make.", Required = true };
        output.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError("--output takes the name of a directory, and not an empty one.");
        });
        var resume = new Option<bool>("--resume") { Description = "Go on where the last checkpoint in the directory was taken, if there is one." };
        var steps = NumberOption.OptionalWhole<int?>("--steps", "Number of steps, instead of the file's.");
        var seed = NumberOption.OptionalWhole<ulong?>("--seed", "The seed, instead of the file's.", least: 0);
        var every = NumberOption.Whole("--checkpoint-every", "Steps from one checkpoint to the next.", 200);
        var threads = NumberOption.Whole("--threads", "Threads of a tensor operation. With one, which is about as fast for a small model, the same file and seed give the same history on the CPU bit for bit.", 1);
        var command = new Command("train", "Train a model; Ctrl-C leaves a checkpoint from which --resume goes on.") { file, output, resume, steps, seed, every, threads };
        // On a thread of its own: what Ctrl-C waits for must have been started, not done.
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            TorchSharp.torch.set_num_threads(parsed.GetValue(threads));
            var run = TrainingFile.Read(parsed.GetValue(file)!);
            var options = run.Training with { Steps = parsed.GetValue(steps) ?? run.Training.Steps, Seed = parsed.GetValue(seed) ?? run.Training.Seed };
            return Train(run with { Training = options }, parsed.GetValue(output)!, parsed.GetValue(resume), parsed.GetValue(every), cancellation);
        }, CancellationToken.None));
        return command;
    }

    private static int Train(TrainingFile run, string output, bool resume, int checkpointEvery, CancellationToken cancellation)
    {
        using var trainer = NewTrainer(run);
        HuggingFaceConfigWriter.ToJson(trainer.Model.Config); // what cannot be saved at the end is not worth training
        // Weights, two moments of each, and the model's files beside the last checkpoint.
        using var claim = ClaimedDirectory.Claim(output, 6 * sizeof(float) * ParameterCount.Of(trainer.Model.Config).TotalParameters);
        if (ClaimedDirectory.HasFiles(output))
        {
            if (!resume) throw new CommandException($"{output} is not empty; choose another directory, or go on with its run: --resume.");
            if (!TrainingCheckpoint.TryResume(trainer, output) && File.Exists(Path.Combine(output, "config.json")))
            {
                Console.WriteLine($"{output} holds a finished run.");
                return 0;
            }
        }

        if (trainer.CompletedSteps > 0) Console.WriteLine($"going on after step {trainer.CompletedSteps}");
        if (run.Corpus.EntropyFloor is { } floor) Console.WriteLine($"the entropy of the corpus is {floor:F3} nats per token: no loss gets below");
        trainer.Run(Console.Out, step =>
        {
            if (step.Step % checkpointEvery == 0) TrainingCheckpoint.Save(trainer, output);
        }, cancellation);
        if (trainer.CompletedSteps < trainer.Options.Steps)
        {
            TrainingCheckpoint.Save(trainer, output);
            Console.WriteLine($"stopped after step {trainer.CompletedSteps}; --resume goes on");
            return CommandLine.Interrupted;
        }

        Finish(trainer, output);
        Console.WriteLine($"validation loss {trainer.History.Validations[^1].Loss:F4} nats per token; model and history are in {output}");
        return 0;
    }

    private static Trainer NewTrainer(TrainingFile run)
    {
        try
        {
            return new(run.Model, run.Corpus, run.Training, run.Balancing, ComputeDevice.Current);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(PlainMessage.Of(e));
        }
    }

    /// <summary>Puts the model's files beside the checkpoint, <c>config.json</c> last: where it is, the rest is. Then the checkpoint goes.</summary>
    private static void Finish(Trainer trainer, string output)
    {
        var written = Path.Combine(output, "model.tmp");
        HuggingFaceDirectory.Save(trainer.Model, written, overwrite: true, endOfText: trainer.Corpus.EndOfText);
        File.WriteAllText(Path.Combine(written, "tokenizer.json"), trainer.Corpus.TokenizerJson());
        File.WriteAllText(Path.Combine(written, "tokenizer_config.json"), trainer.Corpus.TokenizerConfigJson());
        trainer.History.Write(Path.Combine(written, "history.jsonl"));
        foreach (var file in Directory.EnumerateFiles(written).OrderBy(file => Path.GetFileName(file) == "config.json"))
            File.Move(file, Path.Combine(output, Path.GetFileName(file)), overwrite: true);
        Directory.Delete(written);
        TrainingCheckpoint.Remove(output);
    }
}
