namespace MoeWorkbook.Tests.Counting;

public sealed class SizeTests
{
    [Theory]
    [InlineData(WeightType.Float32, 7, 28)]
    [InlineData(WeightType.BFloat16, 7, 14)]
    [InlineData(WeightType.Float8, 7, 7)]
    [InlineData(WeightType.Int4, 7, 4)]
    [InlineData(WeightType.Int4, 8, 4)]
    [InlineData(WeightType.Int8, 0, 0)]
    public void Weights_take_their_bits_rounded_up_to_a_byte(WeightType type, long parameters, long bytes) =>
        Assert.Equal(bytes, WeightBytes.Of(parameters, type));

    [Fact]
    public void More_bytes_than_64_bits_hold_are_an_overflow() =>
        Assert.Throws<OverflowException>(() => WeightBytes.Of(long.MaxValue, WeightType.BFloat16));

    [Fact]
    public void A_negative_number_of_weights_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WeightBytes.Of(-1, WeightType.Int8));

    [Fact]
    public void A_sliding_window_stops_growing_at_its_width()
    {
        var config = ModelCatalog.Find("gpt-oss-20b").Config;
        // 12 of 24 layers see 128 positions; a layer adds 2 · 8 · 64 numbers of 2 bytes for a token.
        const long layerToken = 2 * 8 * 64 * 2;
        Assert.Equal(24 * layerToken * 100, KeyValueCacheSize.Bytes(config, 100));
        Assert.Equal(12 * layerToken * 1000 + 12 * layerToken * 128, KeyValueCacheSize.Bytes(config, 1000));
    }

    [Fact]
    public void Linear_attention_holds_a_state_of_fixed_size()
    {
        var config = ModelCatalog.Find("qwen3.5-35b-a3b").Config;
        var fixedSize = 30L * (32 * 128 * 128 * 4 + 8192 * 3 * 2);
        Assert.Equal(fixedSize, KeyValueCacheSize.Bytes(config, 0));
        Assert.Equal(fixedSize + 1000 * 20480, KeyValueCacheSize.Bytes(config, 1000));
    }

    [Fact]
    public void Latent_attention_caches_one_vector_and_the_rotary_key() =>
        Assert.Equal(61L * (512 + 64) * 2, KeyValueCacheSize.BytesPerToken(ModelCatalog.Find("deepseek-v3").Config));

    [Fact]
    public void Operations_of_a_dense_decoder_are_those_counted_by_hand()
    {
        var config = ModelConfig.Dense(8, 2, 2, 1, 16, 10);
        // A layer: queries and output 2·8·8, keys and values 2·8·4, three feed-forward matrices 3·8·16; the head 10·8.
        Assert.Equal(2L * (2 * (128 + 64 + 384) + 80), ForwardFlops.PerToken(config, 5).MatrixProducts);
        // A layer: scores and weighted values, 2·(2 heads · 4)·context each.
        Assert.Equal(2L * 4 * 8 * 5, ForwardFlops.PerToken(config, 5).Attention);
    }

    [Fact]
    public void Experts_that_a_token_does_not_visit_cost_no_operations()
    {
        var two = ModelConfig.Dense(8, 2, 2, 1, 16, 10).MixtureOfExperts(2, 1);
        var many = ModelConfig.Dense(8, 2, 2, 1, 16, 10).MixtureOfExperts(64, 1);
        var routers = 2L * 2 * 8 * (64 - 2);
        Assert.Equal(ForwardFlops.PerToken(two, 1).Total + routers, ForwardFlops.PerToken(many, 1).Total);
    }

    [Fact]
    public void An_encoder_decoder_has_no_operations_per_token() =>
        Assert.Throws<NotSupportedException>(() => ForwardFlops.PerToken(ModelCatalog.Find("switch-base-8").Config, 1));

    [Fact]
    public void The_cache_of_layers_that_attend_within_chunks_stops_growing()
    {
        var scout = ModelCatalog.Find("llama-4-scout").Config; // 36 of 48 layers, chunks of 8192, 4096 bytes a token and layer
        Assert.Equal(52_747_567_104, KeyValueCacheSize.Bytes(scout, 1_048_576));
        Assert.Equal(8192L * 48 * 4096, KeyValueCacheSize.Bytes(scout, 8192));
        Assert.Equal(12L * 4 * scout.Attention.QueryWidth, ForwardFlops.PerToken(scout, 8193).Attention - ForwardFlops.PerToken(scout, 8192).Attention);
    }

    [Fact]
    public void The_least_memory_of_a_forward_pass_has_its_weights_logits_and_widest_layer()
    {
        var config = ModelConfig.Dense(hiddenSize: 8, layerCount: 2, headCount: 2, keyValueHeadCount: 1, intermediateSize: 16, vocabularySize: 10);
        var weights = ParameterCount.Of(config).TotalParameters;
        Assert.Equal(4 * (weights + 100 * (2 * 8 + 2 * 16) + 7 * 10), ForwardMemory.LeastBytes(config, 100, 7));
    }
}
