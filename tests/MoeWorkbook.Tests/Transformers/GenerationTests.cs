namespace MoeWorkbook.Tests.Transformers;

public sealed class GenerationTests
{
    private static readonly float[] _logits = [1, 3, 2, 3, 0];

    [Fact]
    public void At_temperature_zero_the_first_of_the_likeliest_tokens_is_picked() =>
        Assert.Equal(1, Generation.Pick(_logits, new(1), new Random(0)));

    [Fact]
    public void Sampling_follows_the_softmax_at_the_temperature()
    {
        var random = new Random(1);
        var options = new GenerationOptions(1) { Temperature = 2 };
        var counts = new int[5];
        for (var i = 0; i < 20_000; i++) counts[Generation.Pick(_logits, options, random)]++;
        var sum = _logits.Sum(logit => Math.Exp(logit / 2));
        for (var id = 0; id < 5; id++) Assert.Equal(Math.Exp(_logits[id] / 2) / sum, counts[id] / 20_000.0, 0.015);
    }

    [Fact]
    public void Top_k_and_top_p_leave_only_the_likeliest_tokens()
    {
        var random = new Random(2);
        for (var i = 0; i < 500; i++)
        {
            Assert.Contains(Generation.Pick(_logits, new(1) { Temperature = 5, TopK = 3 }, random), new long[] { 1, 2, 3 });
            Assert.Contains(Generation.Pick(_logits, new(1) { Temperature = 1, TopP = 0.5 }, random), new long[] { 1, 3 });
            Assert.Equal(1, Generation.Pick(_logits, new(1) { Temperature = 1, TopP = 0.01 }, random));
        }
    }

    [Fact]
    public void Greedy_generation_equals_taking_the_argmax_of_full_forwards_and_streams_each_token()
    {
        using var model = new GoldenCheckpoint("qwen3-next-tiny").Load();
        model.train();
        var streamed = new List<long>();
        var written = model.Generate([5, 9, 33], new(8), streamed.Add);
        Assert.Equal(written, streamed);
        Assert.True(model.training);

        using var scope = TorchSharp.torch.NewDisposeScope();
        model.eval();
        List<long> all = [5, 9, 33];
        for (var i = 0; i < 8; i++)
        {
            var last = model.forward(TorchSharp.torch.tensor(all.ToArray(), [1, all.Count])).select(1, all.Count - 1);
            all.Add(last.argmax(-1).item<long>());
        }

        Assert.Equal(all.Skip(3), written);
    }

    [Fact]
    public void The_same_seed_writes_the_same_and_a_stop_token_ends_the_text()
    {
        using var model = new GoldenCheckpoint("mixtral-tiny").Load();
        var options = new GenerationOptions(12) { Temperature = 1, TopK = 20, TopP = 0.9, Seed = 3 };
        var written = model.Generate([1, 2], options);
        Assert.Equal(12, written.Count);
        Assert.Equal(written, model.Generate([1, 2], options));
        Assert.NotEqual(written, model.Generate([1, 2], options with { Seed = 4 }));
        var stopped = model.Generate([1, 2], options with { StopTokens = [written[4]] });
        Assert.Equal(written.Take(written.ToList().IndexOf(written[4]) + 1), stopped);
    }

    [Fact]
    public void Options_outside_their_range_are_named()
    {
        Assert.Contains("TopP", Assert.Throws<ArgumentException>(() => Generation.Pick(_logits, new(1) { TopP = 0 }, new Random(0))).Message);
        Assert.Contains("Temperature", Assert.Throws<ArgumentException>(() => Generation.Pick(_logits, new(1) { Temperature = -1 }, new Random(0))).Message);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => Generation.Pick([float.NaN, 1], new(1), new Random(0))).Message);
        Assert.Contains("finite", Assert.Throws<ArgumentException>(() => Generation.Pick([float.NegativeInfinity], new(1), new Random(0))).Message);
    }
}
