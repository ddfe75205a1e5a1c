using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Transformers;

public sealed class TrainingTests
{
    [Fact]
    public void A_hundred_training_steps_learn_and_hold_the_number_of_live_tensors_constant()
    {
        using var model = new CausalLanguageModel(ModelConfig.Dense(16, 2, 2, 1, 32, 12).MixtureOfExperts(4, 2), seed: 1);
        model.train();
        using var optimizer = optim.AdamW(model.parameters(), lr: 1e-2);
        using var tokens = tensor(new long[] { 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6 }, [2, 6]);
        var first = Step();
        Step();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        float last = 0;
        for (var i = 0; i < 100; i++) last = Step();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.True(last < 0.2 * first, $"the loss went from {first} to {last}");

        float Step()
        {
            using var scope = NewDisposeScope();
            var routing = new List<RoutingDecision>();
            var logits = model.forward(tokens, cache: null, routing);
            Assert.Equal(2, routing.Count);
            var next = nn.functional.cross_entropy(logits.narrow(1, 0, 5).flatten(0, 1), tokens.narrow(1, 1, 5).flatten());
            var loss = next + 0.01 * BalancingLoss.Switch(routing[0]) + 0.01 * BalancingLoss.Switch(routing[1]);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            return next.item<float>();
        }
    }

    [Theory]
    [MemberData(nameof(CausalLanguageModelTests.Families), MemberType = typeof(CausalLanguageModelTests))]
    public void Every_weight_that_can_learn_receives_a_gradient(string name)
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenCheckpoint(name);
        using var model = golden.Load();
        model.forward(golden.TokenTensor).square().sum().backward();
        foreach (var (parameterName, parameter) in model.named_parameters().Where(named => named.parameter.requires_grad))
        {
            Assert.True(parameter.grad is not null, $"{parameterName} has no gradient");
            Assert.True(parameter.grad!.abs().max().item<float>() > 0, $"the gradient of {parameterName} is zero");
        }
    }

    [Theory]
    [MemberData(nameof(CausalLanguageModelTests.Families), MemberType = typeof(CausalLanguageModelTests))]
    public void In_bfloat16_the_logits_are_near_those_in_float32(string name)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var golden = new GoldenCheckpoint(name);
        using var model = golden.Load(ScalarType.BFloat16);
        var logits = model.forward(golden.TokenTensor);
        Assert.Equal(ScalarType.BFloat16, logits.dtype);
        var errors = logits.to(ScalarType.Float32).data<float>().Zip(golden.Logits, (ours, theirs) => Math.Abs(ours - theirs)).Order().ToArray();
        Assert.True(errors[errors.Length / 2] < 0.05, $"the median error is {errors[errors.Length / 2]}");
    }

    [Fact]
    public void Residual_scaling_narrows_only_the_projections_that_write_into_the_residual_stream()
    {
        using var model = new CausalLanguageModel(ModelConfig.Dense(64, 2, 2, 2, 128, 50).MixtureOfExperts(4, 2),
            new ParameterInit { ResidualScale = 0.5, Generator = new Generator(1) });
        foreach (var (name, parameter) in model.named_parameters().Where(named => named.parameter.dim() > 1))
        {
            var residual = name.Contains("o_proj", StringComparison.Ordinal) || name.Contains("down_proj", StringComparison.Ordinal);
            using var scope = NewDisposeScope();
            Assert.Equal(residual ? 0.01 : 0.02, parameter.std().item<float>(), 0.002);
        }
    }

    [Fact]
    public void A_model_moved_to_another_type_computes_in_it()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new GoldenCheckpoint("mixtral-tiny").Load();
        model.to(ScalarType.Float64);
        Assert.Equal(ScalarType.Float64, model.forward(new GoldenCheckpoint("mixtral-tiny").TokenTensor).dtype);
    }
}
