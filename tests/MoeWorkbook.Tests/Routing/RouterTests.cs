using MoeWorkbook.Tests.Experts;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Routing;

public sealed class RouterTests
{
    public static TheoryData<string> Routers => ExpertRunnerTests.Routers;

    // With W the identity the hidden states are the logits.
    private static T WithIdentity<T>(T router) where T : LinearRouter
    {
        using var noGradient = no_grad();
        router.Weight.copy_(eye(router.ExpertCount, router.HiddenSize));
        router.eval();
        return router;
    }

    private static RoutingDecision Route(Router router, params float[] logits) =>
        router.forward(new(tensor(logits, [1, logits.Length / router.HiddenSize, router.HiddenSize])));

    private static void AssertClose(double[] expected, Tensor actual)
    {
        var values = actual.to(ScalarType.Float64).flatten().data<double>().ToArray();
        Assert.Equal(expected.Length, values.Length);
        for (var i = 0; i < values.Length; i++) Assert.Equal(expected[i], values[i], 1e-6);
    }

    [Fact]
    public void Softmax_top_k_by_hand()
    {
        using var scope = NewDisposeScope();
        // e^(ln 1, ln 2, ln 3, ln 4) are 1, 2, 3, 4: probabilities 0.1, 0.2, 0.3, 0.4.
        float[] logits = [0, MathF.Log(2), MathF.Log(3), MathF.Log(4)];
        var renormalised = Route(WithIdentity(new SoftmaxTopKRouter(4, 4, 2)), logits);
        Assert.Equal([3L, 2L], renormalised.TopKExperts.data<long>().ToArray());
        AssertClose([4.0 / 7, 3.0 / 7], renormalised.TopKWeights);
        AssertClose([0.1, 0.2, 0.3, 0.4], renormalised.Scores);
        AssertClose([0.8, 0.6], Route(WithIdentity(new SoftmaxTopKRouter(4, 4, 2) { NormalizeWeights = false, RoutedScalingFactor = 2 }), logits).TopKWeights);
    }

    [Fact]
    public void Ties_go_to_the_expert_with_the_lower_number()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([0L, 1L], Route(WithIdentity(new SoftmaxTopKRouter(4, 4, 2)), 1, 1, 1, 1).TopKExperts.data<long>().ToArray());
        Assert.Equal([3L, 1L], Route(WithIdentity(new SoftmaxTopKRouter(4, 4, 2)), 0, 1, 1, 2).TopKExperts.data<long>().ToArray());
    }

    [Fact]
    public void The_selection_bias_selects_but_does_not_weigh()
    {
        using var scope = NewDisposeScope();
        var router = WithIdentity(new SigmoidTopKRouter(3, 3, 1) { NormalizeWeights = false, RoutedScalingFactor = 2 });
        using (no_grad()) router.SelectionBias!.copy_(tensor(new float[] { 0, 0, 0.9f }));
        var routing = Route(router, 2, 1, 0);
        Assert.Equal([2L], routing.Experts.data<long>().ToArray()); // 0.5 + 0.9 beats σ(2) = 0.88
        AssertClose([2 * 0.5], routing.Weights);
        Assert.False(router.SelectionBias!.requires_grad);
    }

    [Fact]
    public void Groups_are_ranked_by_their_two_best_experts()
    {
        using var scope = NewDisposeScope();
        // Group 0 has the best single expert, group 1 the best pair; negative selection scores must not let others in.
        var router = WithIdentity(new SigmoidTopKRouter(6, 6, 2, groups: new(2, 1)));
        using (no_grad()) router.SelectionBias!.fill_(-2);
        var routing = Route(router, 3, -3, -3, 2, 1, -3);
        Assert.Equal([3L, 4L], routing.Experts.data<long>().ToArray());
    }

    [Fact]
    public void The_bias_update_moves_each_expert_by_u_towards_the_mean_load()
    {
        using var scope = NewDisposeScope();
        var router = WithIdentity(new SigmoidTopKRouter(3, 3, 1));
        var routing = Route(router, 5, 0, 0, 5, 0, 0, 0, 5, 0); // loads 2, 1, 0
        router.UpdateSelectionBias(routing, 0.01);
        AssertClose([-0.01, 0, 0.01], router.SelectionBias!);
    }

    [Fact]
    public void Switch_takes_the_likeliest_expert_with_its_probability()
    {
        using var scope = NewDisposeScope();
        var routing = Route(WithIdentity(new SwitchRouter(2, 2)), 0, MathF.Log(3));
        Assert.Equal([1L], routing.Experts.data<long>().ToArray());
        AssertClose([0.75], routing.Weights);
    }

    [Fact]
    public void GShard_drops_a_weak_second_choice_at_random_only_while_training()
    {
        using var scope = NewDisposeScope();
        var router = WithIdentity(new GShardRouter(2, 2));
        var logits = Enumerable.Repeat(new[] { MathF.Log(4), 0f }, 2000).SelectMany(pair => pair).ToArray(); // weights 0.8 and 0.2
        Assert.True(Route(router, logits).Kept.all().item<bool>());
        router.train();
        var kept = Route(router, logits).Kept.view(2000, 2);
        Assert.True(kept.select(1, 0).all().item<bool>());
        Assert.Equal(0.4, kept.select(1, 1).to(ScalarType.Float32).mean().item<float>(), 0.05);
    }

    [Fact]
    public void With_expert_choice_every_expert_gets_equally_many_tokens()
    {
        using var scope = NewDisposeScope();
        var routing = Route(WithIdentity(new ExpertChoiceRouter(2, 2, meanExpertsPerToken: 1)), 3, 0, 2, 0, 1, 0, 0, 0);
        Assert.Equal([0L, 0L, 1L, 1L], routing.Experts.data<long>().ToArray());
        Assert.Equal([0L, 1L, 3L, 2L], routing.Tokens.data<long>().ToArray());
        Assert.Contains("Tokens, Experts and Weights", Assert.Throws<InvalidOperationException>(() => routing.TopKExperts).Message);
    }

    [Fact]
    public void A_token_goes_to_every_expert_whose_threshold_it_exceeds()
    {
        using var scope = NewDisposeScope();
        var router = WithIdentity(new ExpertThresholdRouter(2, 2, meanExpertsPerToken: 1) { Decay = 0.5 });
        // Before the first step nothing is known, and every token comes to every expert.
        Assert.Equal(8, Route(router, 3, 0, 2, 0, 1, 0, 0, 0).Experts.numel());
        router.train();
        // Half of the four tokens are an expert's share: its threshold is the third largest probability, which is not let through.
        var routing = Route(router, 3, 0, 2, 0, 1, 0, 0, 0);
        Assert.Equal([0L, 1L, 2L, 3L], routing.Tokens.data<long>().ToArray());
        Assert.Equal([0L, 0L, 1L, 1L], routing.Experts.data<long>().ToArray());
        AssertClose([Sigmoid(3), Sigmoid(2), Sigmoid(-1), Sigmoid(0)], routing.Weights);
        AssertClose([Sigmoid(1), Sigmoid(-2)], router.Threshold);
        // A batch with other probabilities moves it by half of the way, and no other token of the batch decides about a token.
        Route(router, 0, 0, 0, 0, 0, 0, 0, 0);
        AssertClose([(Sigmoid(1) + 0.5) / 2, (Sigmoid(-2) + 0.5) / 2], router.Threshold);
        router.eval();
        Assert.Equal([0L], Route(router, 3, 0).Experts.data<long>().ToArray());
        Assert.Equal(0, Route(router, 0.4f, 0).Tokens.numel() - 1); // 0.6 is below the threshold of expert 0, 0.4 above that of expert 1
        AssertClose([(Sigmoid(1) + 0.5) / 2, (Sigmoid(-2) + 0.5) / 2], router.Threshold);
        Assert.False(router.Threshold.requires_grad);

        static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
    }

    [Fact]
    public void Hash_routing_depends_on_the_token_id_alone_and_spreads_ids_evenly()
    {
        using var scope = NewDisposeScope();
        using var router = new HashRouter(4, 8, seed: 3);
        var ids = tensor(new long[] { 7, 9, 7, 7, 9, 1 }, [2, 3]);
        var experts = router.forward(new(randn(2, 3, 4), ids)).Experts.data<long>().ToArray();
        Assert.Equal(experts[0], experts[2]);
        Assert.Equal(experts[1], experts[4]);
        Assert.Equal(router.ExpertOf(7), experts[0]);
        var counts = Enumerable.Range(0, 8000).GroupBy(id => router.ExpertOf(id)).Select(group => group.Count()).ToArray();
        Assert.All(counts, count => Assert.InRange(count, 850, 1150));
        Assert.Contains("TokenIds", Assert.Throws<ArgumentException>(() => router.forward(new(randn(2, 3, 4)))).Message);
    }

    [Fact]
    public void Sinkhorn_evens_out_a_skewed_batch_while_training()
    {
        using var scope = NewDisposeScope();
        manual_seed(0);
        var router = WithIdentity(new SinkhornRouter(4, 4));
        var hidden = randn(1, 400, 4) + tensor(new float[] { 3, 0, 0, 0 });
        var plan = SinkhornRouter.LogTransport(hidden.view(400, 4), 100).exp();
        Assert.True(plan.sum([0L]).allclose(full(4, 100.0), rtol: 1e-3));
        Assert.True(plan.sum([1L]).allclose(ones(400), rtol: 1e-3));
        Assert.True(LoadStatistics.Of(router.forward(new(hidden))).MaxViolation > 1.5);
        router.train();
        Assert.True(LoadStatistics.Of(router.forward(new(hidden))).MaxViolation < 0.2);
    }

    [Fact]
    public void The_uniform_router_is_perfectly_even()
    {
        using var scope = NewDisposeScope();
        using var router = new UniformRouter(4, 6, 3);
        var statistics = LoadStatistics.Of(router.forward(new(randn(2, 4, 4))));
        Assert.All(statistics.Load, load => Assert.Equal(4, load));
    }

    [Theory]
    [MemberData(nameof(Routers))]
    public void In_evaluation_a_router_is_deterministic(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var router = ExpertRunnerTests.Router(name);
        router.eval();
        var (hidden, ids) = (randn(3, 4, 8), arange(12, ScalarType.Int64).view(3, 4));
        var (first, second) = (router.forward(new(hidden, ids)), router.forward(new(hidden, ids)));
        Assert.Equal(first.Experts.data<long>().ToArray(), second.Experts.data<long>().ToArray());
        Assert.Null(first.NoisyLogits);
        Assert.Equal([12, 12], first.Logits.shape);
        Assert.Equal([12, 12], first.Scores.shape);
    }

    public static TheoryData<string> TokenByToken => [.. ExpertRunnerTests.Routers.Select(row => row.Data).Except(["expert-choice", "uniform"])]; // which compare or count tokens

    [Theory]
    [MemberData(nameof(TokenByToken))]
    public void Permuting_sequences_permutes_the_choices_of_a_router_that_takes_each_token_by_itself(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var router = ExpertRunnerTests.Router(name);
        router.eval();
        var (hidden, ids) = (randn(3, 4, 8), arange(12, ScalarType.Int64).view(3, 4));
        var order = tensor(new long[] { 2, 0, 1 });
        var permuted = router.forward(new(hidden.index_select(0, order), ids.index_select(0, order)));
        var expected = router.forward(new(hidden, ids)).Experts.view(3, 4, -1).index_select(0, order).flatten();
        Assert.Equal(expected.data<long>().ToArray(), permuted.Experts.data<long>().ToArray());
    }

    [Theory]
    [InlineData("switch")]
    [InlineData("noisy")]
    [InlineData("gshard")]
    public void Training_time_randomness_comes_from_the_generator(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        using var router = ExpertRunnerTests.Router(name);
        router.train();
        var hidden = randn(2, 50, 8);
        float[] Outcome(ulong seed)
        {
            using var generator = new Generator(seed);
            var routing = router.forward(new(hidden, Generator: generator));
            return [.. (routing.Weights * routing.Kept.to(ScalarType.Float32)).data<float>().ToArray()];
        }

        Assert.Equal(Outcome(1), Outcome(1));
        Assert.NotEqual(Outcome(1), Outcome(2));
    }

    [Theory]
    [MemberData(nameof(Routers))]
    public void One_token_alone_is_routed(string name)
    {
        using var scope = NewDisposeScope();
        using var router = ExpertRunnerTests.Router(name);
        foreach (var training in new[] { true, false })
        {
            router.train(training);
            var routing = router.forward(new(randn(1, 1, 8), zeros(1, 1, ScalarType.Int64)));
            routing.Validate();
            Assert.True(routing.Experts.numel() >= 1 || name == "expert-threshold"); // which need not let a token through
            Assert.True(routing.Weights.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void With_k_equal_to_E_the_weights_are_the_probabilities()
    {
        using var scope = NewDisposeScope();
        using var router = new SoftmaxTopKRouter(8, 5, 5, init: new() { StandardDeviation = 1 });
        var routing = router.forward(new(randn(2, 3, 8)));
        Assert.True(routing.Scores.gather(1, routing.TopKExperts).allclose(routing.TopKWeights));
        Assert.All(LoadStatistics.Of(routing).Load, load => Assert.Equal(6, load));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_weight_depends_on_unchosen_logits_only_without_renormalisation(bool normalize, bool reached)
    {
        using var scope = NewDisposeScope();
        var router = WithIdentity(new SoftmaxTopKRouter(4, 4, 2) { NormalizeWeights = normalize });
        var routing = Route(router, 0.1f, 0.4f, 0.3f, 0.2f); // experts 1 and 2 are chosen
        routing.TopKWeights.select(1, 0).sum().backward();
        var rows = router.Weight.grad!.abs().sum([1L]).data<float>().ToArray(); // [experts]
        Assert.True(rows[1] > 1e-3 && rows[2] > 1e-3);
        Assert.Equal(reached, rows[0] > 1e-3);
        Assert.Equal(reached, rows[3] > 1e-3);
    }

    [Theory]
    [MemberData(nameof(Routers))]
    public void Wrong_shapes_are_named(string name)
    {
        using var scope = NewDisposeScope();
        using var router = ExpertRunnerTests.Router(name);
        Assert.Contains("input.Hidden has shape [2, 3, 7] but [batch, sequence, hidden = 8]", Assert.Throws<ArgumentException>(() => router.forward(new(randn(2, 3, 7)))).Message);
        Assert.Contains("input.Hidden has shape [3, 8]", Assert.Throws<ArgumentException>(() => router.forward(new(randn(3, 8)))).Message);
        Assert.Contains("Int64", Assert.Throws<ArgumentException>(() => router.forward(new(ones(2, 3, 8, ScalarType.Int64)))).Message);
        Assert.Contains("input.TokenIds has shape [6]", Assert.Throws<ArgumentException>(() => router.forward(new(randn(2, 3, 8), zeros(6, ScalarType.Int64)))).Message);
        if (router is LinearRouter)
            Assert.Contains("Float64", Assert.Throws<ArgumentException>(() => router.forward(new(randn(2, 3, 8, ScalarType.Float64)))).Message);
    }

    [Fact]
    public void Impossible_numbers_of_experts_are_refused()
    {
        Assert.Contains("number of experts, 4", Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxTopKRouter(4, 4, 5)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxTopKRouter(4, 0, 1));
        Assert.Contains("groups.Count (3)", Assert.Throws<ArgumentException>(() => new SigmoidTopKRouter(4, 4, 2, groups: new(3, 1))).Message);
        Assert.Contains("1 of 2 groups", Assert.Throws<ArgumentException>(() => new SigmoidTopKRouter(4, 4, 3, groups: new(2, 1))).Message);
    }
}
