using System.Reflection;
using System.Text.Json.Nodes;
using TorchSharp;

namespace MoeWorkbook.Tests.Models;

public sealed class ModelFamilyTests
{
    [Fact]
    public void Every_family_of_the_library_has_its_row_in_the_table()
    {
        var declared = typeof(ModelFamily).Assembly.GetTypes().SelectMany(type => type.GetProperties(BindingFlags.Static | BindingFlags.Public))
            .Where(property => property.PropertyType == typeof(ModelFamily)).Select(property => ((ModelFamily)property.GetValue(null)!).ModelType);
        Assert.Equal(declared.Order(StringComparer.Ordinal), HuggingFaceConfig.ModelTypes);
    }

    [Fact]
    public void A_family_whose_files_are_written_has_names_for_its_weights() =>
        Assert.All(ModelFamilies.All.Where(family => family.Write is not null), family => Assert.NotNull(family.Tensors));

    [Fact]
    public void MiniMax_M2_5_has_the_parameters_of_its_published_files()
    {
        var config = HuggingFaceConfig.Read(Path.Combine(AppContext.BaseDirectory, "Golden", "minimax-m2.5.json"));
        var count = ParameterCount.Of(config);
        Assert.Equal(228_703_644_928 - 13_880_064, count.TotalParameters); // without the scales of its fp8 blocks, 128 × 128 weights each
        Assert.Equal(11_030_553_088, count.ActiveParameters);
        Assert.Equal(62L * (2 * 3072 * 48 * 128 + 2 * 3072 * 8 * 128), count.TotalByComponent[ModelComponent.Attention]);
        Assert.Equal(62L * (256 * 3072 + 256), count.TotalByComponent[ModelComponent.Router]);
        Assert.Equal(62L * 256 * 3 * 3072 * 1536, count.TotalByComponent[ModelComponent.RoutedExperts]);
        Assert.Equal(62L * (2 * 3072 + 48 * 128 + 8 * 128) + 3072, count.TotalByComponent[ModelComponent.Norms]);
        Assert.Equal(62L * 2 * 8 * 128 * 2, KeyValueCacheSize.BytesPerToken(config)); // bytes: layers, keys and values, heads, their size, 16 bits
        using var model = new CausalLanguageModel(config, torch.META);
        Assert.Equal(count.TotalParameters, model.named_parameters().Sum(named => named.parameter.numel()));
    }

    [Theory]
    [InlineData("rotary_dim", "17", "\"rotary_dim\" is 17; it must be a whole number from 1 to 16")]
    [InlineData("attn_type_list", "[1,0]", "\"attn_type_list\" must be 1, full attention, for every layer")]
    [InlineData("use_qk_norm", "false", "\"use_qk_norm\" is false")]
    [InlineData("qk_norm_type", "\"per_head\"", "\"qk_norm_type\" is \"per_head\"; known here: per_layer")]
    [InlineData("shared_intermediate_size", "8", "\"shared_intermediate_size\" is 8, which is not understood here")]
    public void What_a_minimax_m2_model_does_not_have_is_named(string key, string value, string message)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "minimax-m2-tiny", "config.json")))!;
        json[key] = JsonNode.Parse(value);
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse(json.ToJsonString())).Message, StringComparison.Ordinal);
    }
}
