using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Training;

public sealed class TrainerTests
{
    internal static readonly Corpus Corpus = SyntheticCorpus.Generate(new() { TrainingBytes = 40_000, ValidationBytes = 20_000, TableSize = 20 });

    internal static readonly TrainingOptions Quick =
        new() { Steps = 12, BatchSize = 4, SequenceLength = 16, WarmupSteps = 3, ValidationTokens = 200, ValidateEvery = 5 };

    internal static ModelConfig Moe { get; } = ModelConfig.Dense(16, 2, 2, 2, 24, Corpus.VocabularySize).MixtureOfExperts(4, 2, 8);

    [Fact]
    public void The_learning_rate_rises_linearly_and_falls_along_a_half_cosine()
    {
        var options = new TrainingOptions { Steps = 12, WarmupSteps = 4, LearningRate = 1, FinalLearningRateShare = 0.2 };
        Assert.Equal(0.25, options.LearningRateAt(1), 12);
        Assert.Equal(1, options.LearningRateAt(4), 12);
        Assert.Equal(0.2 + 0.8 * (1 + Math.Sqrt(0.5)) / 2, options.LearningRateAt(6), 12);
        Assert.Equal(0.6, options.LearningRateAt(8), 12);
        Assert.Equal(0.2, options.LearningRateAt(12), 12);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_optimizer_is_AdamW_with_decay_on_matrices_only(bool onHost)
    {
        using var linear = nn.Linear(3, 7);
        using (no_grad())
        {
            linear.weight!.copy_(arange(21).to(ScalarType.Float32).view(7, 3) / 10);
            linear.bias!.copy_(ones(7));
        }

        var options =
            new TrainingOptions { Steps = 2, WarmupSteps = 0, LearningRate = 0.1, FinalLearningRateShare = 1, WeightDecay = 0.5, MaxGradientNorm = 15 };
        using var optimizer = new AdamWOptimizer(linear, onHost);
        double[] expected = [.. Elements(linear.weight!), .. Elements(linear.bias!)], mean = new double[28], square = new double[28];
        for (var step = 1; step <= 2; step++)
        {
            linear.zero_grad();
            (linear.forward(tensor(new float[] { 1, 2, -3 }, [1, 3])) * (float)step).sum().backward();
            var norm = step * Math.Sqrt(7 * (1 + 4 + 9 + 1));
            Assert.Equal(norm, optimizer.Step(step, options), 4);
            var scale = Math.Min(1, 15 / norm); // the first is short enough
            for (var i = 0; i < 28; i++)
            {
                var (g, decay) = i < 21 ? (step * scale * new[] { 1, 2, -3 }[i % 3], 0.5) : (step * scale, 0);
                mean[i] = 0.9 * mean[i] + 0.1 * g;
                square[i] = 0.95 * square[i] + 0.05 * g * g;
                var (m, v) = (mean[i] / (1 - Math.Pow(0.9, step)), square[i] / (1 - Math.Pow(0.95, step)));
                expected[i] -= 0.1 * decay * expected[i] + 0.1 * m / (Math.Sqrt(v) + 1e-8);
            }
        }

        Assert.All(expected.Zip([.. Elements(linear.weight!), .. Elements(linear.bias!)]), pair => Assert.Equal(pair.First, pair.Second, 5));
    }

    [Fact]
    public void Training_lowers_the_loss_and_is_the_same_for_the_same_seed()
    {
        var options = Quick with { Steps = 60, LearningRate = 5e-3 };
        using Trainer first = new(Moe, Corpus, options), second = new(Moe, Corpus, options), other = new(Moe, Corpus, options with { Seed = 1 });
        var history = first.Run();
        Assert.True(history.Steps[^1].Loss < history.Steps[0].Loss - 0.5);
        Assert.Equal(history.Steps.Select(step => step.Loss), second.Run().Steps.Select(step => step.Loss));
        Assert.NotEqual(history.Steps[0].Loss, other.Step().Loss);
    }

    [Fact]
    public void A_new_model_knows_nothing()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick);
        Assert.Equal(Math.Log(Corpus.VocabularySize), trainer.Step().Loss, 0.1);
    }

    [Fact]
    public void A_step_tells_the_load_of_every_expert()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick);
        var step = trainer.Step();
        Assert.Equal(64, step.Tokens);
        Assert.Equal(2, step.Load.Count);
        Assert.All(step.Load, load => Assert.Equal(128, load.Sum()));
        Assert.All(step.RouterEntropy, entropy => Assert.InRange(entropy, 1.2, Math.Log(4) + 1e-5));
        Assert.InRange(step.BalancingLoss, 0.5, 2);
    }

    [Fact]
    public void Validations_come_when_they_should_and_at_the_end()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick);
        var validations = trainer.Run().Validations;
        Assert.Equal([5, 10, 12], validations.Select(validation => validation.Step));
        Assert.All(validations, validation => Assert.Equal(256, validation.Tokens));
        Assert.Equal(validations[^1].Loss, trainer.Validate().Loss);
        Assert.Equal(512, trainer.Validate().LoadOf(0).Assignments);
    }

    [Fact]
    public void The_auxiliary_loss_reaches_the_router()
    {
        using var without = new Trainer(Moe, Corpus, Quick);
        using var with = new Trainer(Moe, Corpus, Quick, new() { AuxiliaryLossWeight = 1, ZLossWeight = 1 });
        Assert.Equal(without.Step().Loss, with.Step().Loss);
        Assert.NotEqual(without.Step().Loss, with.Step().Loss);
    }

    [Fact]
    public void A_loss_of_ones_own_trains_as_the_librarys_does_and_stands_in_the_history()
    {
        using var named = new Trainer(Moe, Corpus, Quick, new() { AuxiliaryLossWeight = 0.5 });
        using var own = new Trainer(Moe, Corpus, Quick, new() { Losses = [new("mine", BalancingLoss.Switch, 0.5)] });
        for (var step = 0; step < 3; step++)
        {
            var (ofNamed, ofOwn) = (named.Step(), own.Step());
            Assert.Equal(ofNamed.Loss, ofOwn.Loss);
            Assert.Equal(ofNamed.BalancingLoss, ofOwn.OtherLosses!["mine"]);
            Assert.Null(ofNamed.OtherLosses);
        }
    }

    public static TheoryData<string, BalancingOptions> EachLoss => new()
    {
        { "GShard loss", new() { GShardLossWeight = 1 } },
        { "sequence-wise loss", new() { SequenceLossWeight = 1 } },
        { "importance loss", new() { Router = RouterKind.NoisyTopK, ImportanceLossWeight = 1 } },
        { "load loss", new() { Router = RouterKind.NoisyTopK, LoadLossWeight = 1 } },
    };

    [Theory, MemberData(nameof(EachLoss))]
    public void Every_loss_with_a_weight_reaches_the_router(string name, BalancingOptions balancing)
    {
        using var without = new Trainer(Moe, Corpus, Quick, new() { Router = balancing.Router });
        using var with = new Trainer(Moe, Corpus, Quick, balancing);
        var first = with.Step();
        Assert.Equal(without.Step().Loss, first.Loss);
        Assert.True(first.OtherLosses![name] > 0);
        Assert.NotEqual(without.Step().Loss, with.Step().Loss);
    }

    [Fact]
    public void The_load_loss_asks_for_the_noisy_router() =>
        Assert.Contains("NoisyTopK", Assert.Throws<ArgumentException>(() => new Trainer(Moe, Corpus, Quick, new() { LoadLossWeight = 1 })).Message);

    [Fact]
    public void A_router_of_ones_own_takes_the_place_of_the_models()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick, new() { NewRouter = (hiddenSize, moe, init) => new UniformRouter(hiddenSize, moe.ExpertCount, 3) });
        Assert.All(trainer.Step().Load, load => Assert.All(load, count => Assert.Equal(4 * 16 * 3 / 4, count)));
    }

    [Fact]
    public void A_router_of_ones_own_without_a_selection_bias_is_refused_where_one_is_to_move() =>
        Assert.Contains("the UniformRouter has no selection bias", Assert.Throws<ArgumentException>(() => new Trainer(
            Moe, Corpus, Quick, new() { BiasUpdateRate = 1, NewRouter = (hiddenSize, moe, _) => new UniformRouter(hiddenSize, moe.ExpertCount, 1) })).Message);

    [Fact]
    public void A_dense_model_has_no_balancing_loss_whatever_its_weight()
    {
        var dense = ModelConfig.Dense(16, 2, 2, 2, 24, Corpus.VocabularySize);
        using var plain = new Trainer(dense, Corpus, Quick);
        using var weighted = new Trainer(dense, Corpus, Quick, new() { AuxiliaryLossWeight = 1, GShardLossWeight = 1 });
        for (var step = 0; step < 2; step++)
        {
            var (ofPlain, ofWeighted) = (plain.Step(), weighted.Step());
            Assert.Equal((ofPlain.Loss, 0.0, 0.0), (ofWeighted.Loss, ofWeighted.BalancingLoss, ofWeighted.ZLoss));
            Assert.Null(ofWeighted.OtherLosses);
        }
    }

    [Fact]
    public void An_experiment_prepares_its_model_before_the_first_step()
    {
        var runner = new CapacityExperts();
        var experiment = new Experiment("prepared", Moe, Corpus, Quick) { Prepare = model => model.MoeLayers[1].Runner = runner };
        Assert.Same(runner, Assert.Single(ExperimentRunner.Run([experiment], trainer => trainer.Model.MoeLayers[1].Runner)));
    }

    [Fact]
    public void A_softmax_router_may_have_a_selection_bias_too()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick, new() { BiasUpdateRate = 0.25 });
        var load = trainer.Step().Load[0];
        var router = Assert.IsType<SoftmaxTopKRouter>(trainer.Model.MoeLayers[0].Router);
        Assert.Equal(load.Select(count => 0.25f * Math.Sign(32 - count)), router.SelectionBias!.data<float>().ToArray());
    }

    [Fact]
    public void The_selection_bias_moves_against_the_load()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick, new() { BiasUpdateRate = 0.25, Router = RouterKind.SigmoidTopK });
        var load = trainer.Step().Load[0];
        var bias = ((SigmoidTopKRouter)trainer.Model.Decoder.Layers[0].Moe!.Router).SelectionBias!.data<float>().ToArray();
        Assert.Equal(load.Select(count => 0.25f * Math.Sign(32 - count)), bias);
    }

    [Theory]
    [InlineData(RouterKind.NoisyTopK, typeof(NoisyTopKRouter))]
    [InlineData(RouterKind.ExpertChoice, typeof(ExpertChoiceRouter))]
    [InlineData(RouterKind.GShard, typeof(GShardRouter))]
    [InlineData(RouterKind.ExpertThreshold, typeof(ExpertThresholdRouter))]
    [InlineData(RouterKind.Sinkhorn, typeof(SinkhornRouter))]
    [InlineData(RouterKind.Uniform, typeof(UniformRouter))]
    public void Another_router_takes_the_place_of_the_models_own(RouterKind kind, Type type)
    {
        using var trainer = new Trainer(Moe, Corpus, Quick, new() { Router = kind });
        Assert.IsType(type, trainer.Model.Decoder.Layers[0].Moe!.Router);
        trainer.Run();
        Assert.Equal(trainer.Validate().Loss, trainer.Validate().Loss);
    }

    [Fact]
    public void A_capacity_drops_while_training_only()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick, new() { Capacity = new(0.5) });
        Assert.InRange(trainer.Step().DroppedShare, 0.5, 0.9);
        trainer.Validate();
        Assert.All(trainer.Model.Decoder.Layers, layer => Assert.Null(layer.Moe!.Capacity));
    }

    [Fact]
    public void A_dense_model_trains_too()
    {
        using var trainer = new Trainer(ModelConfig.Dense(16, 1, 2, 2, 24, Corpus.VocabularySize), Corpus, Quick);
        Assert.Empty(trainer.Step().Load);
    }

    [Fact]
    public void Steps_leave_no_tensors_behind()
    {
        using var trainer = new Trainer(Moe, Corpus, Quick);
        trainer.Step();
        trainer.Validate();
        var before = Statistics();
        for (var i = 0; i < 5; i++) trainer.Step();
        trainer.Validate();
        Assert.Equal(before, Statistics());

        // Tensors of this thread that neither a scope nor a using has freed.
        static long Statistics() => TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
    }

    [Fact]
    public void Cancelling_ends_after_the_current_step()
    {
        using var stop = new CancellationTokenSource();
        using var trainer = new Trainer(Moe, Corpus, Quick);
        trainer.Run(afterStep: step =>
        {
            if (step.Step == 3) stop.Cancel();
        }, cancellation: stop.Token);
        Assert.Equal(3, trainer.CompletedSteps);
        trainer.Run();
        Assert.Equal(12, trainer.CompletedSteps);
        Assert.Throws<InvalidOperationException>(() => trainer.Step());
    }

    [Fact]
    public void A_wrong_option_is_named_with_what_is_allowed()
    {
        Assert.Contains("Steps is 0; it must be at least 1", Refused(new() { Steps = 0 }));
        Assert.Contains("LearningRate is NaN", Refused(new() { LearningRate = double.NaN }));
        Assert.Contains("WarmupSteps is 20; it must be from 0 to Steps, 12", Refused(Quick with { WarmupSteps = 20 }));
        Assert.Contains("AuxiliaryLossWeight is -1", Refused(Quick, new() { AuxiliaryLossWeight = -1 }));
        Assert.Contains("Router is NoisyTopK", Refused(Quick, new() { BiasUpdateRate = 1, Router = RouterKind.NoisyTopK }));
        Assert.Contains("VocabularySize is 5", Assert.Throws<ArgumentException>(() => new Trainer(ModelConfig.Dense(16, 1, 2, 2, 24, 5), Corpus)).Message);

        static string Refused(TrainingOptions options, BalancingOptions? balancing = null) =>
            Assert.Throws<ArgumentException>(() => new Trainer(Moe, Corpus, options, balancing)).Message;
    }

    [Fact]
    public void Experiments_side_by_side_give_what_they_give_one_after_another()
    {
        var experiments = new Experiment("moe", Moe, Corpus, Quick).WithSeeds(3).ToList();
        var together = ExperimentRunner.Run(experiments, trainer => trainer.Validate().Loss, workers: 2);
        Assert.Equal(ExperimentRunner.Run(experiments, trainer => trainer.Validate().Loss, workers: 1), together);
        Assert.Equal(3, together.Distinct().Count());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(RouterKind.NoisyTopK)]
    public void A_GPU_trains_as_the_CPU_does(RouterKind? router)
    {
        var gpu = Needs.Cuda();
        var balancing = new BalancingOptions { Router = router, AuxiliaryLossWeight = 0.1, Capacity = new(1.2) };
        using Trainer onCpu = new(Moe, Corpus, Quick, balancing), onGpu = new(Moe, Corpus, Quick, balancing, gpu);
        Assert.Equal(onCpu.Step().Loss, onGpu.Step().Loss, 1e-4);
        Assert.Equal(onCpu.Step().GradientNorm, onGpu.Step().GradientNorm, 1e-3);
        Assert.Equal(onCpu.Run().Validations[^1].Loss, onGpu.Run().Validations[^1].Loss, 1e-2);

        using var directory = new TemporaryDirectory();
        using Trainer resumed = new(Moe, Corpus, Quick, balancing);
        TrainingCheckpoint.Save(onGpu, directory.Root);
        Assert.True(TrainingCheckpoint.TryResume(resumed, directory.Root));
        Assert.Equal(onGpu.Validate().Loss, resumed.Validate().Loss, 1e-4);
    }

    [Fact]
    public void A_failing_experiment_is_reported() =>
        Assert.Contains("Steps is 0", Assert.Throws<ArgumentException>(() => ExperimentRunner.Run([new("bad", Moe, Corpus, new() { Steps = 0 })], trainer => 0)).Message);

    private static double[] Elements(Tensor tensor) => Array.ConvertAll(tensor.detach().data<float>().ToArray(), value => (double)value);
}
