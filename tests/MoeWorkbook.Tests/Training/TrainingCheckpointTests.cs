
namespace MoeWorkbook.Tests.Training;

public sealed class TrainingCheckpointTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(RouterKind.NoisyTopK)]
    [InlineData(RouterKind.SigmoidTopK)]
    public void A_resumed_run_has_the_same_history(RouterKind? router)
    {
        using var directory = new TemporaryDirectory();
        var balancing = new BalancingOptions { Router = router, AuxiliaryLossWeight = 0.1, BiasUpdateRate = router == RouterKind.SigmoidTopK ? 0.01 : 0 };
        using Trainer whole = NewTrainer(balancing), stopped = NewTrainer(balancing), resumed = NewTrainer(balancing);
        whole.Run();
        using var stop = new CancellationTokenSource();
        stopped.Run(afterStep: step =>
        {
            if (step.Step == 7) stop.Cancel();
        }, cancellation: stop.Token);
        TrainingCheckpoint.Save(stopped, directory.Root);
        Assert.True(TrainingCheckpoint.TryResume(resumed, directory.Root));
        Assert.Equal(7, resumed.CompletedSteps);
        resumed.Run();
        Assert.Equal(Lines(whole.History, directory), Lines(resumed.History, directory), StringComparer.Ordinal);
    }

    [Fact]
    public void Only_the_last_checkpoint_stays()
    {
        using var directory = new TemporaryDirectory();
        using var trainer = NewTrainer();
        for (var i = 0; i < 3; i++)
        {
            trainer.Step();
            TrainingCheckpoint.Save(trainer, directory.Root);
        }

        Assert.Equal(["checkpoint-00000003"], Directory.GetDirectories(directory.Root).Select(Path.GetFileName));
        TrainingCheckpoint.Remove(directory.Root);
        Assert.False(TrainingCheckpoint.TryResume(trainer, directory.Root));
    }

    [Fact]
    public void A_half_written_checkpoint_does_not_count()
    {
        using var directory = new TemporaryDirectory();
        using Trainer trainer = NewTrainer(), resumed = NewTrainer();
        trainer.Step();
        TrainingCheckpoint.Save(trainer, directory.Root);
        Directory.CreateDirectory(directory.Path("checkpoint-00000002.tmp"));
        Assert.True(TrainingCheckpoint.TryResume(resumed, directory.Root));
        Assert.Equal(1, resumed.CompletedSteps);
    }

    [Fact]
    public void Another_runs_checkpoint_is_refused_by_what_differs()
    {
        using var directory = new TemporaryDirectory();
        using var trainer = NewTrainer();
        TrainingCheckpoint.Save(trainer, directory.Root);
        using var other = new Trainer(TrainerTests.Moe, TrainerTests.Corpus, TrainerTests.Quick with { LearningRate = 0.5 });
        Assert.Contains("training has LearningRate = 0.002 but this run has 0.5", Assert.Throws<CheckpointException>(() => TrainingCheckpoint.TryResume(other, directory.Root)).Message);
        using var balanced = NewTrainer(new() { AuxiliaryLossWeight = 1 });
        Assert.Contains("balancing has AuxiliaryLossWeight", Assert.Throws<CheckpointException>(() => TrainingCheckpoint.TryResume(balanced, directory.Root)).Message);
    }

    [Fact]
    public void A_history_is_read_as_it_was_written_and_a_wrong_line_is_named()
    {
        using var directory = new TemporaryDirectory();
        using var trainer = NewTrainer();
        var written = trainer.Run();
        written.Write(directory.Path("history.jsonl"));
        var read = TrainingHistory.Read(directory.Path("history.jsonl"));
        Assert.Equal(written.Steps.Select(step => (step.Loss, step.Seconds, step.LoadOf(1).MaxViolation)),
            read.Steps.Select(step => (step.Loss, step.Seconds, step.LoadOf(1).MaxViolation)));
        Assert.Equal(written.Validations[^1].DomainLosses, read.Validations[^1].DomainLosses);
        File.AppendAllText(directory.Path("history.jsonl"), "{\"training\": 5}\n");
        Assert.Contains("line 16 is no entry", Assert.Throws<CheckpointException>(() => TrainingHistory.Read(directory.Path("history.jsonl"))).Message);
    }

    private static Trainer NewTrainer(BalancingOptions? balancing = null) => new(TrainerTests.Moe, TrainerTests.Corpus, TrainerTests.Quick, balancing);

    /// <summary>The lines of a history file without the times.</summary>
    private static string[] Lines(TrainingHistory history, TemporaryDirectory directory)
    {
        history.Write(directory.Path("history.jsonl"));
        return HistoryFile.WithoutTimes(directory.Path("history.jsonl"));
    }
}
