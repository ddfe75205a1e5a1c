using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>What an exercise takes for right is what the library's routers, losses and statistics compute.</summary>
public sealed class RoutingExerciseTests
{
    [Fact]
    public void Top_k_routing_is_what_the_softmax_router_does() => AssertRight(MoeWorkbook.Exercises.TopKRouting.Check(token =>
    {
        var decision = Route(new SoftmaxTopKRouter(token.Logits.Length, token.Logits.Length, token.ExpertsPerToken, init: Doubles), [token.Logits]);
        return ([.. decision.Experts.data<long>().ToArray().Select(expert => (int)expert)], decision.Weights.data<double>().ToArray());
    }, seed: 1));

    [Fact]
    public void The_switch_loss_is_the_librarys() => AssertRight(MoeWorkbook.Exercises.SwitchLoss.Check(batch =>
    {
        var experts = batch.Probabilities[0].Length;
        var decision = Route(new SwitchRouter(experts, experts, init: Doubles), [.. batch.Probabilities.Select(row => Array.ConvertAll(row, Math.Log))]);
        Assert.Equal(batch.Experts, decision.Experts.data<long>().ToArray().Select(expert => (int)expert));
        // Each token adds the mean probability of its expert, over the number of tokens.
        var loss = batch.Experts.Average(expert => batch.Probabilities.Average(row => row[expert])) * experts;
        Assert.Equal(loss, BalancingLoss.Switch(decision).item<double>(), 6);
        return loss;
    }, seed: 1));

    [Fact]
    public void Expert_choice_is_what_the_router_does() => AssertRight(MoeWorkbook.Exercises.ExpertChoice.Check(batch =>
    {
        int tokens = batch.Probabilities.Length, experts = batch.Probabilities[0].Length;
        var router = new ExpertChoiceRouter(experts, experts, batch.TokensPerExpert * experts / (double)tokens - 1e-9, Doubles);
        var decision = Route(router, [.. batch.Probabilities.Select(row => Array.ConvertAll(row, Math.Log))]);
        return [.. decision.Tokens.data<long>().ToArray().Select(token => (int)token).Chunk(batch.TokensPerExpert)];
    }, seed: 1));

    [Fact]
    public void The_arguments_of_the_smooth_load_give_the_librarys_loss() => AssertRight(MoeWorkbook.Exercises.NoisyLoad.Check(token =>
    {
        double[] arguments = [.. token.Logits.Select((logit, expert) =>
            (logit - token.NoisyLogits.Index().Where(other => other.Index != expert)
                .Select(other => other.Item).OrderDescending().Skip(token.ExpertsPerToken - 1).First()) / token.Deviations[expert])];
        double[] probabilities = [.. arguments.Select(a => MathNet.Numerics.Distributions.Normal.CDF(0, 1, a))];
        double mean = probabilities.Average(), variation = probabilities.Average(p => (p - mean) * (p - mean)) / (mean * mean + 1e-10);
        long count = token.Logits.Length;
        var decision = Route(new SoftmaxTopKRouter((int)count, (int)count, token.ExpertsPerToken, init: Doubles), [token.Logits]) with
        {
            NoisyLogits = tensor(token.NoisyLogits, [1, count]),
            NoiseDeviation = tensor(token.Deviations, [1, count]),
        };
        Assert.Equal(variation, BalancingLoss.ShazeerLoad(decision).item<double>(), 6);
        return arguments;
    }, seed: 1));

    [Fact]
    public void Max_violation_counts_experts_without_a_token() => AssertRight(MoeWorkbook.Exercises.MaxViolation.Check(batch =>
        batch.Experts.CountBy(expert => expert).Max(pair => pair.Value) / (batch.Experts.Length / (double)batch.ExpertCount) - 1, seed: 1));

    [Fact]
    public void Choosing_from_logits_and_forgetting_to_renormalise_is_wrong_and_says_what_is_right()
    {
        var result = MoeWorkbook.Exercises.TopKRouting.Check(token =>
        {
            var sum = token.Logits.Sum(Math.Exp);
            var best = token.Logits.Index().OrderByDescending(pair => pair.Item).Take(token.ExpertsPerToken).ToList();
            return ([.. best.Select(pair => pair.Index)], [.. best.Select(pair => Math.Exp(pair.Item) / sum)]);
        }, seed: 1);
        Assert.False(result.Correct);
        Assert.Contains("it should give", result.Message);
    }

    private static ParameterInit Doubles => new(DataType: ScalarType.Float64);

    /// <summary>The decision of a router whose W is the identity, so that the hidden states are the logits.</summary>
    private static RoutingDecision Route(LinearRouter router, double[][] logits)
    {
        using (no_grad()) router.Weight.copy_(eye(router.ExpertCount, dtype: ScalarType.Float64));
        router.eval();
        return router.forward(new RouterInput(tensor(logits.SelectMany(row => row).ToArray(), [1, logits.Length, router.ExpertCount])));
    }

    private static void AssertRight(CheckResult result) => Assert.True(result.Correct, result.Message);
}
