using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Routing;

public sealed class BalancingLossTests
{
    private static RoutingDecision Decision(Tensor logits, int k, long batch = 1)
    {
        var scores = logits.softmax(-1);
        var (chosen, experts) = scores.sort(-1, descending: true, stable: true);
        var tokens = logits.shape[0];
        return RoutingDecision.TopK(new(zeros(batch, tokens / batch, 1)), logits, scores, experts.narrow(1, 0, k), chosen.narrow(1, 0, k));
    }

    private static float Value(Tensor loss) => loss.item<float>();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void At_uniform_load_and_probabilities_every_loss_has_the_same_value_whatever_k(int k)
    {
        using var scope = NewDisposeScope();
        using var router = new UniformRouter(3, 4, k);
        var routing = router.forward(new(randn(2, 8, 3)));
        Assert.Equal(1, Value(BalancingLoss.Switch(routing)), 1e-5);
        Assert.Equal(1, Value(BalancingLoss.SequenceWise(routing)), 1e-5);
        Assert.Equal(1, Value(BalancingLoss.GShard(routing)), 1e-5);
        Assert.Equal(0, Value(BalancingLoss.ShazeerImportance(routing)), 1e-5);
    }

    [Fact]
    public void The_switch_loss_is_E_when_one_expert_has_all_with_certainty_and_half_that_when_two_share()
    {
        using var scope = NewDisposeScope();
        var one = tensor(new float[] { 50, 0, 0, 0, 50, 0, 0, 0 }, [2, 4]);
        var two = tensor(new float[] { 50, 0, 0, 0, 0, 50, 0, 0 }, [2, 4]);
        Assert.Equal(4, Value(BalancingLoss.Switch(Decision(one, 1))), 1e-4);
        Assert.Equal(2, Value(BalancingLoss.Switch(Decision(two, 1))), 1e-4);
    }

    [Fact]
    public void One_is_no_lower_bound_of_the_switch_loss()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[] { .51f, .49f, .51f, .49f, 1e-9f, 1 }, [3, 2]).log();
        Assert.Equal(0.893, Value(BalancingLoss.Switch(Decision(logits, 1))), 1e-3);
    }

    [Fact]
    public void The_sequence_wise_loss_sees_imbalance_within_a_sequence_that_the_batch_hides()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[] { 50, 0, 50, 0, 0, 50, 0, 50 }, [4, 2]); // sequence 0 uses expert 0 only, sequence 1 expert 1
        var routing = Decision(logits, 1, batch: 2);
        Assert.Equal(1, Value(BalancingLoss.Switch(routing)), 1e-4);
        Assert.Equal(2, Value(BalancingLoss.SequenceWise(routing)), 1e-4);
    }

    [Fact]
    public void The_z_loss_is_the_mean_squared_logsumexp()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(3, 4);
        Assert.Equal(Math.Pow(Math.Log(4), 2), Value(BalancingLoss.RouterZ(Decision(logits, 1))), 1e-5);
    }

    [Fact]
    public void Importance_is_the_squared_coefficient_of_variation_of_the_summed_weights()
    {
        using var scope = NewDisposeScope();
        var routing = Decision(tensor(new float[] { 50, 0, 50, 0, 0, 50, 50, 0 }, [4, 2]), 1); // sums 3 and 1: mean 2, deviation 1
        Assert.Equal(0.25, Value(BalancingLoss.ShazeerImportance(routing)), 1e-4);
    }

    public static TheoryData<string> Losses => ["switch", "gshard", "sequence", "importance", "load"];

    // Following a loss's gradient must make the load more even: a value alone would not show that it reaches the router.
    [Theory]
    [MemberData(nameof(Losses))]
    public void Descending_a_balancing_loss_evens_out_the_load(string name)
    {
        using var outer = NewDisposeScope();
        manual_seed(5);
        var hidden = randn(4, 64, 8) + 0.5; // one direction in common, so that one expert is popular
        using var router = new NoisyTopKRouter(8, 6, 2, new() { StandardDeviation = 0.6 });
        router.train();
        using var generator = new Generator(1);
        var before = Violation();
        for (var step = 0; step < 200; step++)
        {
            using var scope = NewDisposeScope();
            router.zero_grad();
            var routing = router.forward(new(hidden, Generator: generator));
            var loss = name switch
            {
                "switch" => BalancingLoss.Switch(routing),
                "gshard" => BalancingLoss.GShard(routing),
                "sequence" => BalancingLoss.SequenceWise(routing),
                "importance" => BalancingLoss.ShazeerImportance(routing),
                _ => BalancingLoss.ShazeerLoad(routing),
            };
            loss.backward();
            var gradient = router.Weight.grad!;
            Assert.True(gradient.abs().max().item<float>() > 0, "no gradient reaches the router");
            using var noGradient = no_grad();
            router.Weight.sub_(gradient * 0.3);
        }

        Assert.True(Violation() < 0.6 * before, $"MaxVio {before} became {Violation()}");

        double Violation()
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            router.eval();
            var violation = LoadStatistics.Of(router.forward(new(hidden))).MaxViolation;
            router.train();
            return violation;
        }
    }

    [Fact]
    public void The_z_loss_gradient_makes_logits_smaller()
    {
        using var scope = NewDisposeScope();
        var logits = (randn(16, 4) + 2).requires_grad_();
        var loss = BalancingLoss.RouterZ(Decision(logits, 1));
        loss.backward();
        var after = (logits - logits.grad! * 0.5).detach();
        Assert.True(Value(BalancingLoss.RouterZ(Decision(after, 1))) < Value(loss));
    }

    [Fact]
    public void A_gradient_agrees_with_finite_differences()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var logits = randn(6, 4, ScalarType.Float64);
        foreach (var loss in new Func<RoutingDecision,
            Tensor>[] { BalancingLoss.Switch, BalancingLoss.GShard, BalancingLoss.SequenceWise, BalancingLoss.ShazeerImportance, BalancingLoss.RouterZ })
        {
            var point = logits.clone().requires_grad_();
            loss(Decision(point, 2, batch: 2)).backward();
            var direction = randn(6, 4, ScalarType.Float64);
            using var noGradient = no_grad();
            const double step = 1e-5;
            var up = loss(Decision(logits + direction * step, 2, batch: 2)).to(ScalarType.Float64).item<double>();
            var down = loss(Decision(logits - direction * step, 2, batch: 2)).to(ScalarType.Float64).item<double>();
            Assert.Equal((up - down) / (2 * step), (point.grad! * direction).sum().item<double>(), 1e-5);
        }
    }

    [Fact]
    public void Losses_that_need_more_than_the_decision_has_say_so()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("NoisyTopKRouter", Assert.Throws<InvalidOperationException>(() => BalancingLoss.ShazeerLoad(Decision(zeros(2, 2), 1))).Message);
        using var router = new ExpertChoiceRouter(3, 2);
        Assert.Throws<InvalidOperationException>(() => BalancingLoss.GShard(router.forward(new(randn(1, 4, 3)))));
        using var all = new NoisyTopKRouter(3, 2, 2);
        all.train();
        Assert.Contains("always chosen", Assert.Throws<InvalidOperationException>(() => BalancingLoss.ShazeerLoad(all.forward(new(randn(1, 4, 3))))).Message);
    }

    [Fact]
    public void A_decision_whose_tensors_do_not_fit_is_named_by_losses_statistics_capacity_and_runners()
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(4, 3, 2);
        var good = Decision(randn(6, 4), 2);
        var readers = new Action<RoutingDecision>[]
        {
            routing => BalancingLoss.Switch(routing), routing => BalancingLoss.GShard(routing), routing => BalancingLoss.SequenceWise(routing),
            routing => BalancingLoss.ShazeerImportance(routing), routing => BalancingLoss.ShazeerLoad(routing), routing => BalancingLoss.RouterZ(routing),
            routing =>
                LoadStatistics.Of(routing), routing => new ExpertCapacity(1).Apply(routing), routing => new LoopExperts().Run(randn(6, 3), routing, experts),
        };
        foreach (var read in readers)
        {
            Assert.Contains("Logits has shape [5, 4] but [tokens = 6, experts]", Fails(good with { Logits = randn(5, 4) }));
            Assert.Contains("Scores has shape [6, 3] but Logits has shape [6, 4]", Fails(good with { Scores = randn(6, 3) }));
            Assert.Contains("Weights has shape [11] but [assignments = 12]", Fails(good with { Weights = randn(11) }));
            Assert.Contains("Experts [12] is Float32; Int64", Fails(good with { Experts = randn(12) }));
            Assert.Contains("Kept [12] is Float32; Bool", Fails(good with { Kept = ones(12) }));
            Assert.Contains("is on meta", Fails(good with { Weights = ones(12, device: META) }));
            string Fails(RoutingDecision routing) => Assert.Throws<ArgumentException>(() => read(routing)).Message;
        }
    }
}
