namespace MoeWorkbook.Tests.Specialization;

public sealed class SpecializationTests
{
    private const int Segments = 120, Length = 25;
    private static readonly int[] _segment = [.. Enumerable.Range(0, Segments * Length).Select(i => i / Length)];
    private static readonly int[] _domain = [.. _segment.Select(segment => segment % 3)];
    private static readonly int[] _byte = Draws(1, 5);

    [Fact]
    public void Experts_that_follow_the_domain_tell_all_of_it()
    {
        var measured = MoeWorkbook.Specialization.Of(_domain, _domain, _byte, _segment);
        Assert.Equal(1, measured.Plain.Value, 12);
        Assert.Equal(1, measured.GivenByte.Value, 12);
        Assert.Equal(Math.Log(3), measured.Nats.Value, 2);
        Assert.InRange(measured.Shuffled.High, -0.01, 0.01);
    }

    [Fact]
    public void Experts_that_follow_the_byte_tell_nothing_beyond_it()
    {
        // In domain 0 every byte is shifted, so the byte tells a part of the domain, and an expert that is the byte no more.
        int[] bytes = [.. _byte.Zip(_domain, (b, domain) => domain == 0 ? b : b + 2)];
        var measured = MoeWorkbook.Specialization.Of(_domain, bytes, bytes, _segment);
        Assert.InRange(measured.Plain.Value, 0.1, 1);
        Assert.InRange(measured.GivenByte.Value, -0.001, 0.001);
    }

    [Fact]
    public void Random_experts_lie_within_the_baseline_of_chance()
    {
        var measured = MoeWorkbook.Specialization.Of(_domain, Draws(2, 8), _byte, _segment);
        Assert.InRange(measured.GivenByte.Value, -0.01, 0.01);
        Assert.InRange(0, measured.GivenByte.Low, measured.GivenByte.High);
        Assert.InRange(0, measured.Shuffled.Low, measured.Shuffled.High);
    }

    [Fact]
    public void Half_of_the_tokens_routed_by_domain_lie_clear_of_the_baseline_and_the_interval_holds_the_truth()
    {
        int[] random = Draws(3, 3), coin = Draws(4, 2);
        int[] experts = [.. _domain.Select((domain, i) => coin[i] == 0 ? domain : random[i])];
        var measured = MoeWorkbook.Specialization.Of(_domain, experts, _byte, _segment);
        // p(expert = domain) = 2/3, the others 1/6 each.
        var truth = 1 - (-2 / 3.0 * Math.Log(2 / 3.0) - 1 / 3.0 * Math.Log(1 / 6.0)) / Math.Log(3);
        Assert.InRange(truth, measured.GivenByte.Low, measured.GivenByte.High);
        Assert.True(measured.GivenByte.Low > measured.Shuffled.High);
        Assert.Equal(measured, MoeWorkbook.Specialization.Of(_domain, experts, _byte, _segment));
    }

    [Fact]
    public void Segments_that_stick_together_widen_the_interval()
    {
        // The same share of tokens follows the domain: here token by token, there segment by segment.
        int[] coin = Draws(5, 2), segmentCoin = [.. _segment.Select(segment => coin[segment])];
        Assert.True(Width([.. _domain.Zip(segmentCoin, (domain, side) => side == 0 ? domain : 0)]) > 2 * Width([.. _domain.Zip(coin,
            (domain, side) => side == 0 ? domain : 0)]));

        double Width(int[] experts)
        {
            var measured = MoeWorkbook.Specialization.Of(_domain, experts, _byte, _segment);
            return measured.GivenByte.High - measured.GivenByte.Low;
        }
    }

    [Fact]
    public void A_byte_that_always_tells_the_domain_leaves_nothing_to_measure() =>
        Assert.Contains("Every byte belongs to one domain",
            Assert.Throws<ArgumentException>(() => MoeWorkbook.Specialization.Of(_domain, _domain, _domain, _segment)).Message, StringComparison.Ordinal);

    private static int[] Draws(int seed, int labels)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Segments * Length).Select(_ => random.Next(labels))];
    }
}
