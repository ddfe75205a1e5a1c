using MoeWorkbook.Tests.Experts;
using MoeWorkbook.Tests.Training;
using MoeWorkbook.Tests.Transformers;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Architecture;

/// <summary>Every tensor is made on the device of the inputs. While these tests compute on the CPU, TorchSharp's default device is meta: a tensor that is made
/// without naming its device lies there, and cannot be mixed with the others.</summary>
[Collection(nameof(Alone))]
public sealed class InputsDeviceTests : IDisposable
{
    public InputsDeviceTests() => set_default_device(META);

    public void Dispose() => set_default_device(CPU);

    [Fact]
    public void A_forgotten_device_is_noticed()
    {
        using var scope = NewDisposeScope();
        Assert.ThrowsAny<Exception>(() => (ones(2, device: CPU) + ones(2)).cpu());
    }

    [Theory]
    [MemberData(nameof(CausalLanguageModelTests.Families), MemberType = typeof(CausalLanguageModelTests))]
    public void Models_and_caches(string name)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var golden = new GoldenCheckpoint(name);
        using var model = golden.Load(device: CPU);
        var tokens = golden.TokenTensor;
        using var cache = new KeyValueCache();
        var pieces =
            cat([model.forward(tokens.narrow(1, 0, 6), cache), model.forward(tokens.narrow(1, 6, 1), cache), model.forward(tokens.narrow(1, 7, 3), cache)], 1);
        Assert.True(golden.LargestError(pieces) <= 1e-4);
        Assert.Equal(3, model.Generate([1, 2], new(3) { Temperature = 1 }).Count);
    }

    [Theory]
    [MemberData(nameof(ExpertRunnerTests.Routers), MemberType = typeof(ExpertRunnerTests))]
    public void Routers_runners_capacity_losses_and_statistics(string name)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        using var router = ExpertRunnerTests.Router(name);
        using var experts = new ExpertWeights(12, 8, 6);
        router.train();
        var hidden = randn(2, 15, 8, device: CPU, generator: generator);
        var ids = arange(30, ScalarType.Int64, CPU).view(2, 15);
        foreach (var source in new[] { generator, null })
        {
            foreach (var policy in Enum.GetValues<DropPolicy>())
            {
                var routing = new ExpertCapacity(0.8, policy).Apply(router.forward(new(hidden, ids, source)), source);
                ExpertRunner[] runners = [new LoopExperts(), new SortedExperts(), new CapacityExperts(), new BatchedExperts(), new FastExperts(),
                    new DenseBaseline(2), new DenseBaseline(2, new BatchedExperts())];
                stack(runners.Select(runner => runner.Run(hidden.view(30, 8), routing, experts)).ToArray()).sum().backward();
                using (no_grad()) Assert.True(new FastExperts().Run(hidden.view(30, 8), routing, experts).abs().sum().item<float>() > 0);
                Assert.True(LoadStatistics.Of(routing).Assignments > 0);
                foreach (var loss in new Func<RoutingDecision,
                    Tensor>[] { BalancingLoss.Switch, BalancingLoss.SequenceWise, BalancingLoss.ShazeerImportance, BalancingLoss.RouterZ })
                    Assert.True(float.IsFinite(loss(routing).item<float>()));
                if (routing.ExpertsPerToken is not null) BalancingLoss.GShard(routing);
                if (routing.NoiseDeviation is not null) BalancingLoss.ShazeerLoad(routing);
                if (router is SigmoidTopKRouter sigmoid) sigmoid.UpdateSelectionBias(routing);
            }
        }
    }

    [Fact]
    public void Training_and_what_is_read_off_a_model()
    {
        using var scope = NewDisposeScope();
        using var directory = new TemporaryDirectory();
        using Trainer trainer = New(), resumed = New();
        trainer.Run();
        TrainingCheckpoint.Save(trainer, directory.Root);
        Assert.True(TrainingCheckpoint.TryResume(resumed, directory.Root));
        Assert.Equal(trainer.Validate().Loss, resumed.Validate().Loss, 1e-6);
        Assert.Equal(40, RoutedText.Of(trainer.Model, [.. Enumerable.Range(0, 40).Select(i => i % 20)], window: 16).Experts(1).Count);
        using var batch = TrainerTests.Corpus.Validation.Draw(2, 16, 0);
        foreach (var how in Enum.GetValues<RemovedExpert>())
            Assert.Equal(4, ExpertAblation.Measure(trainer.Model, batch, TrainerTests.Corpus.Domains.Count, 0, how).Losses.Count);

        static Trainer New() => new(TrainerTests.Moe, TrainerTests.Corpus, TrainerTests.Quick with { Steps = 3 },
            new() { Router = RouterKind.NoisyTopK, AuxiliaryLossWeight = 0.1, ZLossWeight = 0.1, Capacity = new(1, DropPolicy.Random) });
    }

    [Fact]
    public void Measurements()
    {
        var quick = new MeasurementOptions { Rounds = 1, FewestRounds = 1, WarmUpRounds = 0, ShortestSample = TimeSpan.Zero };
        using var experts = SyntheticWeights.Experts(4, 8, 16, ScalarType.Float32);
        Assert.Equal(2, new LayerComparison(experts, 2, new FastExperts()).Measure([3], [RoutingPattern.Balanced, RoutingPattern.Collapsed], quick).Count);
        using var model = SyntheticWeights.Model(ModelConfig.Dense(16, 1, 2, 1, 24, 50).MixtureOfExperts(4, 1), ScalarType.BFloat16);
        Assert.Equal(3, new ModelComparison(model, new SortedExperts()).Decode(2, 3, quick).Measurements.Count);
        Assert.True(MachineProbe.Run(new() { ReadBytes = 1 << 22, ReadRounds = 1, GemmShapes = [(8, 8, 8)], GemmRounds = 1 }).SecondsPerCall > 0);
    }
}
