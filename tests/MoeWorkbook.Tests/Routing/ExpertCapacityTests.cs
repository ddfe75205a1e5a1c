using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Routing;

public sealed class ExpertCapacityTests
{
    // Three tokens, two experts, both experts each: expert 0 is the first choice of tokens 0 and 1.
    private static RoutingDecision Decision()
    {
        var experts = tensor(new long[] { 0, 1, 0, 1, 1, 0 }, [3, 2]);
        var weights = tensor(new float[] { 0.6f, 0.4f, 0.9f, 0.1f, 0.7f, 0.3f }, [3, 2]);
        var logits = zeros(3, 2);
        return RoutingDecision.TopK(new(zeros(1, 3, 4)), logits, logits.softmax(-1), experts, weights);
    }

    [Theory]
    [InlineData(DropPolicy.Position, new[] { true, true, true, false, true, false })] // first choices 0→0, 1→0, 2→1, then second 0→1
    [InlineData(DropPolicy.BatchPrioritized, new[] { true, false, true, true, true, false })] // tokens by weight: 1, 2, 0; so 1→1 before 0→1
    public void The_policy_decides_who_stays(DropPolicy policy, bool[] kept)
    {
        using var scope = NewDisposeScope();
        var capacity = new ExpertCapacity(2.0 / 3, policy);
        Assert.Equal(2, capacity.PerExpert(6, 2));
        Assert.Equal(kept, capacity.Apply(Decision()).Kept.data<bool>().ToArray());
    }

    [Fact]
    public void Random_dropping_depends_on_the_seed_only_and_spares_no_position()
    {
        using var scope = NewDisposeScope();
        var capacity = new ExpertCapacity(1.0 / 3, DropPolicy.Random);
        var counts = new int[6];
        for (ulong seed = 0; seed < 60; seed++)
        {
            using var generator = new Generator(seed);
            using var again = new Generator(seed);
            var kept = capacity.Apply(Decision(), generator).Kept.data<bool>().ToArray();
            Assert.Equal(kept, capacity.Apply(Decision(), again).Kept.data<bool>().ToArray());
            Assert.Equal(2, kept.Count(k => k)); // one for each expert
            for (var i = 0; i < 6; i++) counts[i] += kept[i] ? 1 : 0;
        }

        Assert.All(counts, count => Assert.InRange(count, 8, 32));
    }

    [Fact]
    public void Enough_room_drops_nothing_and_a_factor_of_zero_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.True(new ExpertCapacity(1).Apply(Decision()).Kept.all().item<bool>());
        Assert.Contains("positive", Assert.Throws<ArgumentOutOfRangeException>(() => new ExpertCapacity(0)).Message);
    }

    [Fact]
    public void What_was_dropped_before_takes_no_room()
    {
        using var scope = NewDisposeScope();
        var routing = Decision() with { Kept = tensor(new[] { false, true, true, true, true, true }) };
        var kept = new ExpertCapacity(2.0 / 3).Apply(routing).Kept.data<bool>().ToArray();
        Assert.Equal([false, true, true, false, true, true], kept); // the third token's second choice gets the room
    }
}
