using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Layers;

public sealed class RotaryEmbeddingTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pair_is_turned_by_position_times_frequency(bool interleaved)
    {
        using var scope = NewDisposeScope();
        var rotary = new RotaryEmbedding(new(100) { Interleaved = interleaved }, 4); // frequencies 1 and 0.1
        Assert.Equal([1, 0.1], rotary.Frequencies, (a, b) => Math.Abs(a - b) < 1e-12);
        float[] head = interleaved ? [1, 0, 0, 1] : [1, 0, 0, 1]; // pairs (1, 0) and (0, 1), or (1, 0) and (0, 1) of halves
        var turned = rotary.Rotate(tensor(head, [1, 1, 1, 4]), rotary.At(3, 1)).data<float>().ToArray();
        double[] expected = interleaved
            ? [Math.Cos(3), Math.Sin(3), -Math.Sin(0.3), Math.Cos(0.3)]
            : [Math.Cos(3), -Math.Sin(0.3), Math.Sin(3), Math.Cos(0.3)];
        for (var i = 0; i < 4; i++) Assert.Equal(expected[i], turned[i], 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Products_of_turned_queries_and_keys_depend_on_the_distance_alone(bool interleaved)
    {
        using var scope = NewDisposeScope();
        var rotary = new RotaryEmbedding(new(10000) { Fraction = 0.5, Interleaved = interleaved }, 16);
        var (query, key) = (randn(1, 1, 1, 16), randn(1, 1, 1, 16));
        double Product(long p, long q) => (rotary.Rotate(query, rotary.At(p, 1)) * rotary.Rotate(key, rotary.At(q, 1))).sum().item<float>();
        Assert.Equal(Product(9, 4), Product(105, 100), 1e-3);
        Assert.NotEqual(Product(9, 4), Product(9, 5), 1e-3);
    }

    [Fact]
    public void The_unrotated_part_of_a_head_stays()
    {
        using var scope = NewDisposeScope();
        var rotary = new RotaryEmbedding(new(10000) { Fraction = 0.25 }, 16);
        Assert.Equal(4, rotary.RotatedSize);
        var heads = randn(1, 2, 3, 16);
        Assert.True(rotary.Rotate(heads, rotary.At(5, 3)).narrow(-1, 4, 12).equal(heads.narrow(-1, 4, 12)).all().item<bool>());
    }

    [Fact]
    public void Linear_scaling_divides_every_frequency() =>
        Assert.Equal([0.25, 0.025], new RotaryEmbedding(new(100) { Scaling = new("linear", 4) }, 4).Frequencies, (a, b) => Math.Abs(a - b) < 1e-12);

    [Fact]
    public void Llama3_scaling_keeps_fast_pairs_and_stretches_slow_ones()
    {
        var scaling = new RotaryScaling("llama3", 8) { OriginalMaxPositions = 8192, LowFrequencyFactor = 1, HighFrequencyFactor = 4 };
        var scaled = new RotaryEmbedding(new(500000) { Scaling = scaling }, 128).Frequencies;
        var plain = new RotaryEmbedding(new(500000), 128).Frequencies;
        Assert.Equal(plain[0], scaled[0], 1e-15);
        Assert.Equal(plain[63] / 8, scaled[63], 1e-15);
        // A pair that turns 2.5 times over 8192 positions lies half-way between the bounds of 1 and 4 turns.
        var middle = Enumerable.Range(0, 64).Single(i => 8192 * plain[i] / (2 * Math.PI) is > 2.3 and < 3);
        var keep = (8192 * plain[middle] / (2 * Math.PI) - 1) / 3;
        Assert.Equal(plain[middle] * (keep + (1 - keep) / 8), scaled[middle], 1e-12);
    }

    [Fact]
    public void Yarn_ramps_between_its_bounds_and_raises_the_magnitude()
    {
        var scaling = new RotaryScaling("yarn", 32) { OriginalMaxPositions = 4096, Truncate = false };
        var yarn = new RotaryEmbedding(new(150000) { Scaling = scaling }, 64); // gpt-oss
        var plain = new RotaryEmbedding(new(150000), 64).Frequencies;
        Assert.Equal(0.1 * Math.Log(32) + 1, yarn.Magnitude, 1e-12);
        // The dimension that turns β times: 64·ln(4096 / 2πβ) / (2·ln 150000) is 8.09 for β = 32 and 17.40 for β = 1.
        Assert.Equal(plain[8], yarn.Frequencies[8], 1e-12);
        Assert.Equal(plain[18] / 32, yarn.Frequencies[18], 1e-12);
        var (low, high) = (64 * Math.Log(4096 / (2 * Math.PI * 32)) / (2 * Math.Log(150000)), 64 * Math.Log(4096 / (2 * Math.PI)) / (2 * Math.Log(150000)));
        var stretch = (12 - low) / (high - low);
        Assert.Equal(plain[12] * (1 - stretch + stretch / 32), yarn.Frequencies[12], 1e-12);
    }

    [Fact]
    public void DeepSeeks_yarn_leaves_the_magnitude_and_scales_the_logits()
    {
        var scaling = new RotaryScaling("yarn", 40) { OriginalMaxPositions = 4096, MScale = 1, MScaleAllDimensions = 1 };
        var rotary = new RotaryEmbedding(new(10000) { Scaling = scaling }, 64);
        Assert.Equal(1, rotary.Magnitude, 1e-12);
        Assert.Equal(Math.Pow(0.1 * Math.Log(40) + 1, 2), rotary.LogitScale, 1e-12);
    }

    [Fact]
    public void An_unknown_scaling_or_impossible_share_is_refused_when_the_model_is_made()
    {
        var config = ModelConfig.Dense(16, 1, 2, 2, 32, 20);
        var unknown = config with { Rotary = new(10000) { Scaling = new("longrope", 4) } };
        Assert.Contains("longrope", Assert.Throws<NotSupportedException>(() => new CausalLanguageModel(unknown)).Message);
        Assert.Contains("original_max_position_embeddings", Assert.Throws<NotSupportedException>(
            () => new RotaryEmbedding(new(10000) { Scaling = new("yarn", 4) }, 8)).Message);
        Assert.Contains("even number", Assert.Throws<ArgumentException>(() => new RotaryEmbedding(new(10000) { Fraction = 0.4 }, 8)).Message);
    }

    [Fact]
    public void Wrong_shapes_are_named()
    {
        using var scope = NewDisposeScope();
        var rotary = new RotaryEmbedding(new(10000), 8);
        Assert.Contains("heads has shape [1, 2, 3, 6] but [batch, heads, sequence = 3, head size = 8]",
            Assert.Throws<ArgumentException>(() => rotary.Rotate(zeros(1, 2, 3, 6), rotary.At(0, 3))).Message);
        Assert.Contains("sequence = 4", Assert.Throws<ArgumentException>(() => rotary.Rotate(zeros(1, 2, 3, 8), rotary.At(0, 4))).Message);
    }
}
