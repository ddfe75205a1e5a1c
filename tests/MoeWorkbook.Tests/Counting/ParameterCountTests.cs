using System.Text.Json;

namespace MoeWorkbook.Tests.Counting;

public sealed class ParameterCountTests
{
    private sealed record Expected(string Id, long? ExactTotal, long? Kv, long? Total, long? ActiveAllIn,
        long? ActiveExclInputEmbedding, long? ActiveExclBothEmbeddings);

    private static readonly JsonSerializerOptions _snakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly Expected[] _expected = JsonSerializer.Deserialize<Expected[]>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Counting", "published-counts.json")), _snakeCase)!;

    public static TheoryData<string> Ids => [.. _expected.Select(e => e.Id)];

    [Fact]
    public void The_catalog_holds_the_34_published_architectures() =>
        Assert.Equal(_expected.Select(e => e.Id).Order(StringComparer.Ordinal), ModelCatalog.Ids);

    [Theory, MemberData(nameof(Ids))]
    public void Every_count_of_the_catalog_equals_the_published_or_independently_computed_one(string id)
    {
        var numbers = _expected.Single(e => e.Id == id);
        var model = ModelCatalog.Find(id);
        var count = ParameterCount.Of(model.Config);
        AssertIfKnown(numbers.ExactTotal, count.TotalParameters);
        AssertIfKnown(numbers.Total, count.TotalParameters);
        AssertIfKnown(numbers.ActiveAllIn, count.ActiveParameters);
        AssertIfKnown(numbers.ActiveExclInputEmbedding, count.Active(ActiveConvention.WithoutInputEmbedding));
        AssertIfKnown(numbers.ActiveExclBothEmbeddings, count.Active(ActiveConvention.WithoutEmbeddings));
        AssertIfKnown(numbers.Kv, KeyValueCacheSize.BytesPerToken(model.Config));
        Assert.Equal(count.TotalParameters, count.TotalByComponent.Values.Sum());
        Assert.True(count.ActiveParameters <= count.TotalParameters);
        Assert.NotEmpty(model.Sources);
        static void AssertIfKnown(long? known, long counted) => Assert.Equal(known ?? counted, counted);
    }

    [Theory]
    [InlineData("mixtral-8x22b", 141e9, 39e9)]
    [InlineData("qwen3-235b-a22b", 235e9, 22e9)]
    [InlineData("gpt-oss-120b", 117e9, 5.7e9)]
    [InlineData("kimi-k2", 1.03e12, 33e9)]
    [InlineData("glm-4.5", 355e9, 33.6e9)]
    [InlineData("glm-4.5-air", 106e9, 13.4e9)]
    [InlineData("switch-xxl-128", 395e9, 11e9)]
    public void Counts_without_an_exact_published_total_round_to_the_published_figure(string id, double total, double active)
    {
        var count = ParameterCount.Of(ModelCatalog.Find(id).Config);
        Assert.InRange(count.TotalParameters / total, 0.99, 1.01);
        Assert.InRange(count.ActiveParameters / active, 0.96, 1.04);
    }

    [Fact]
    public void A_mixtral_counted_by_hand_has_these_components()
    {
        var count = ParameterCount.Of(ModelCatalog.Find("mixtral-8x7b").Config);
        Assert.Equal(32000L * 4096, count.TotalByComponent[ModelComponent.Embeddings]);
        Assert.Equal(32000L * 4096, count.TotalByComponent[ModelComponent.Head]);
        Assert.Equal(32L * (2 * 4096 * 4096 + 2 * 4096 * 1024), count.TotalByComponent[ModelComponent.Attention]);
        Assert.Equal(32L * 8 * 4096, count.TotalByComponent[ModelComponent.Router]);
        Assert.Equal(32L * 8 * 3 * 4096 * 14336, count.TotalByComponent[ModelComponent.RoutedExperts]);
        Assert.Equal(32L * 2 * 3 * 4096 * 14336, count.ActiveByComponent[ModelComponent.RoutedExperts]);
        Assert.Equal((32L * 2 + 1) * 4096, count.TotalByComponent[ModelComponent.Norms]);
        Assert.Equal(0, count.TotalByComponent[ModelComponent.SharedExperts]);
        Assert.Equal(0, count.TotalByComponent[ModelComponent.DenseFeedForward]);
    }

    [Fact]
    public void With_as_many_experts_per_token_as_experts_every_parameter_is_active()
    {
        var config = ModelConfig.Dense(64, 2, 4, 2, 96, 100).MixtureOfExperts(4, 4);
        var count = ParameterCount.Of(config);
        Assert.Equal(count.TotalParameters, count.ActiveParameters);
    }

    [Fact]
    public void A_count_beyond_64_bits_is_an_overflow_error()
    {
        var config = ModelConfig.Dense(int.MaxValue, 1, 1, 1, 1, 1) with { IntermediateSize = int.MaxValue };
        var error = Assert.Throws<OverflowException>(() => ParameterCount.Of(config with
        {
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, 9)],
            MoeLayers = [.. Enumerable.Repeat(false, 9)]
        }));
        Assert.Contains("64-bit", error.Message, StringComparison.Ordinal);
    }
}
