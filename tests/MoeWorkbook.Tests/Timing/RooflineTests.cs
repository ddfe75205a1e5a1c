namespace MoeWorkbook.Tests.Timing;

public sealed class RooflineTests
{
    // 10 GB/s, 100 GFLOP/s, 1 µs a call.
    private static readonly Roofline _machine = new(10e9, 100e9, 1e-6);

    private static readonly MoeConfig _mixtral = new(8, 2, 14336);

    [Fact]
    public void The_longer_of_reading_and_computing_counts_and_calls_come_on_top()
    {
        var reading = _machine.Predict(new Workload(1e9, 1e9, 1000));
        Assert.Equal(0.1 + 0.001, reading.Seconds, 12);
        Assert.Equal(RooflineBound.Bandwidth, reading.Bound);

        var computing = _machine.Predict(new Workload(1e9, 50e9));
        Assert.Equal(0.5, computing.Seconds, 12);
        Assert.Equal(RooflineBound.Compute, computing.Bound);

        Assert.Equal(RooflineBound.Calls, _machine.Predict(new Workload(1, 1, 10)).Bound);
    }

    [Fact]
    public void Both_limits_meet_at_the_ridge()
    {
        Assert.Equal(10, _machine.Ridge);
        Assert.Equal(50e9, _machine.RateAt(5));
        Assert.Equal(100e9, _machine.RateAt(1000));
    }

    [Fact]
    public void Parts_wait_each_for_its_own_limit()
    {
        var together = _machine.Predict([new Workload(1e9, 0), new Workload(0, 10e9)]);
        Assert.Equal(0.2, together.Seconds, 12); // not max(0.1, 0.1)
    }

    [Fact]
    public void One_token_reads_two_of_mixtrals_experts()
    {
        // 2 experts · 3 · 4096 · 14336 weights = 352,321,536.
        var work = Workload.Moe(4096, _mixtral, 1, WeightType.BFloat16);
        Assert.Equal(704_643_072, work.Bytes, 3);
        Assert.Equal(704_643_072, work.Flops, 3);
    }

    [Fact]
    public void A_quarter_of_a_byte_less_is_a_quarter_of_a_byte_less()
    {
        Assert.Equal(352_321_536 / 2.0, Workload.Moe(4096, _mixtral, 1, WeightType.Int4).Bytes, 3);
        Assert.Equal(352_321_536.0 * 4, Workload.Moe(4096, _mixtral, 1, WeightType.Float32).Bytes, 3);
    }

    [Fact]
    public void Given_experts_replace_expected_ones()
    {
        var collapsed = Workload.Moe(4096, _mixtral, 64, WeightType.BFloat16, touched: 2);
        Assert.Equal(704_643_072, collapsed.Bytes, 3);
        Assert.Equal(64 * 704_643_072.0, collapsed.Flops, 3);
    }

    [Fact]
    public void A_dense_block_reads_its_weights_once_and_computes_every_token()
    {
        var work = Workload.FeedForward(10, 20, 7, WeightType.Float32);
        Assert.Equal(2400, work.Bytes);
        Assert.Equal(2 * 600 * 7, work.Flops);
    }

    [Fact]
    public void A_models_decode_reads_its_active_parameters_without_the_input_embedding()
    {
        var config = ModelCatalog.Find("mixtral-8x7b").Config;
        var bytes = Workload.Model(config, 1, 1, 0, WeightType.BFloat16).Sum(part => part.Bytes);
        var count = ParameterCount.Of(config);
        var norms = count.TotalByComponent[ModelComponent.Norms];
        var cache = KeyValueCacheSize.BytesPerToken(config);
        Assert.Equal(2.0 * (count.Active(ActiveConvention.WithoutInputEmbedding) - norms) + cache, bytes, 3);
    }

    [Fact]
    public void A_models_operations_are_those_that_are_counted()
    {
        var config = ModelCatalog.Find("mistral-7b").Config with { LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, 32)] };
        var flops = Workload.Model(config, 1, 1, 99, WeightType.BFloat16).Sum(part => part.Flops);
        Assert.Equal(ForwardFlops.PerToken(config, 100).Total, flops, 3);
    }

    [Fact]
    public void Other_attention_is_refused() =>
        Assert.Contains("grouped-query", Assert.Throws<NotSupportedException>(() => Workload.Model(ModelCatalog.Find("deepseek-v3").Config, 1, 1, 0,
            WeightType.BFloat16)).Message, StringComparison.Ordinal);
}
