using System.Text.Json;

namespace MoeWorkbook.Tests.Training;

public sealed class TrainingRunTests
{
    private static readonly Lazy<IReadOnlyList<TrainingRun>> _runs = new(() =>
    {
        var corpus = SyntheticCorpus.Generate(new() { TrainingBytes = 20_000, ValidationBytes = 2_000, TableSize = 20 });
        var dense = ModelConfig.Dense(hiddenSize: 8, layerCount: 2, headCount: 2, keyValueHeadCount: 1, intermediateSize: 8, corpus.VocabularySize);
        var options = new TrainingOptions { Steps = 7, WarmupSteps = 1, BatchSize = 2, SequenceLength = 16, ValidateEvery = 3, ValidationTokens = 64 };
        return ExperimentRunner.Run([.. new Experiment("moe", dense.MixtureOfExperts(4, 1), corpus, options).WithSeeds(2),
            new Experiment("dense", dense, corpus, options)]);
    });

    [Fact]
    public void A_run_keeps_its_course_its_validations_and_what_a_token_costs()
    {
        var run = _runs.Value[1];
        Assert.Equal(("moe", 1UL), (run.Name, run.Seed));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], run.Stages.Select(stage => stage.Step));
        Assert.All(run.Stages, stage => Assert.Equal(32, stage.Load[1].Sum()));
        Assert.Equal([3, 6, 7], run.Validations.Select(validation => validation.Step));
        Assert.Equal(run.FinalLoss, run.Curve(TrainingCost.Steps)[^1].Loss);
        Assert.Equal(64, run.Validations[^1].LoadOf(0).Load.Sum());
        Assert.True(run.TotalParameters > run.ActiveParameters);
    }

    [Fact]
    public void Operations_are_three_forward_passes_a_token_and_seconds_add_up()
    {
        var run = _runs.Value[2];
        Assert.Equal(7 * 32 * 3.0 * run.ForwardFlopsPerToken, run.Curve(TrainingCost.Flops)[^1].Spent, 6);
        Assert.Equal(3 * 32 * 3.0 * run.ForwardFlopsPerToken, run.Curve(TrainingCost.Flops)[0].Spent, 6);
        Assert.Equal(run.Stages.Sum(stage => stage.Seconds), run.Curve(TrainingCost.Seconds)[^1].Spent, 9);
    }

    [Fact]
    public void A_recording_comes_back_as_it_was_written()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "recording.json");
        try
        {
            var recording = TrainingRecording.Of("a command", _runs.Value);
            recording.Write(path);
            var back = TrainingRecording.Read(path);
            Assert.Equal(recording.ToString(), back.ToString());
            Assert.Contains("a command", back.ToString(), StringComparison.Ordinal);
            Assert.Equal(JsonSerializer.Serialize(recording.Runs), JsonSerializer.Serialize(back.Runs));
            Assert.Equal(recording.Runs[0].Curve(TrainingCost.Seconds), back.Runs[0].Curve(TrainingCost.Seconds));
            File.WriteAllText(path, "{\"runs\": 3}");
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => TrainingRecording.Read(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }
}
