using TorchSharp;

namespace MoeWorkbook.Tests.Timing;

public sealed class ExpertsTouchedTests
{
    [Theory]
    [InlineData(1, 2.0)]
    [InlineData(2, 3.5)]
    [InlineData(4, 5.46875)]
    [InlineData(8, 7.19909)]
    public void Mixtral_touches_as_many_experts_as_the_formula_says(int tokens, double expected) =>
        Assert.Equal(expected, ExpertsTouched.Expected(8, 2, tokens), 4);

    [Fact]
    public void Equal_popularity_is_uniform_routing()
    {
        Assert.Equal(ExpertsTouched.Expected(8, 2, 5), ExpertsTouched.Expected(Enumerable.Repeat(0.25, 8), 5), 12);
        Assert.Equal(2, ExpertsTouched.Expected([1, 1, 0, 0], 5), 12);
    }

    [Fact]
    public void Random_decisions_touch_as_many_as_expected()
    {
        using var scope = torch.NewDisposeScope();
        var average = Enumerable.Range(0, 400).Average(seed => ExpertsTouched.In(SyntheticRouting.Decide(RoutingPattern.Uniform, 4, 8, 2, seed)));
        Assert.InRange(average, 5.46875 - 0.15, 5.46875 + 0.15);
    }

    [Theory]
    [InlineData(RoutingPattern.Balanced)]
    [InlineData(RoutingPattern.Uniform)]
    [InlineData(RoutingPattern.Realistic)]
    [InlineData(RoutingPattern.Collapsed)]
    public void Every_token_visits_k_different_experts(RoutingPattern pattern)
    {
        using var scope = torch.NewDisposeScope();
        var decision = SyntheticRouting.Decide(pattern, 50, 8, 3);
        decision.Validate();
        var experts = decision.Experts.data<long>().ToArray();
        Assert.All(experts.Chunk(3), mine => Assert.Equal(3, mine.Distinct().Count()));
        Assert.All(experts, expert => Assert.InRange(expert, 0, 7));
        if (pattern == RoutingPattern.Collapsed) Assert.Equal(3, ExpertsTouched.In(decision));
        if (pattern == RoutingPattern.Balanced) Assert.All(decision.Load().data<long>().ToArray(), load => Assert.InRange(load, 18, 19));
    }

    [Fact]
    public void Realistic_routing_has_popular_experts_and_no_unused_one()
    {
        using var scope = torch.NewDisposeScope();
        var load = SyntheticRouting.Decide(RoutingPattern.Realistic, 2000, 8, 2).Load().data<long>().ToArray();
        Assert.True(load.Max() > 4 * load.Min());
        Assert.True(load.Min() > 0);
    }
}
