using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Transformers;

public sealed class CausalLanguageModelTests
{
    public static TheoryData<string> Families =>
    [
        "llama-tiny", "mixtral-tiny", "qwen3-moe-tiny", "qwen2-moe-tiny", "olmoe-tiny",
        "deepseek-tiny", "deepseek-v3-tiny", "glm4-moe-tiny", "gpt-oss-tiny", "qwen3-next-tiny",
    ];

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_agree_with_independent_implementations(string name) => LogitsAgree(name, CPU);

    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_agree_with_independent_implementations_on_a_GPU(string name) => LogitsAgree(name, Needs.Cuda());

    private static void LogitsAgree(string name, Device device)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var golden = new GoldenCheckpoint(name);
        using var model = golden.Load(device: device);
        var logits = model.forward(golden.TokenTensor.to(device));
        Assert.Equal([2, 10, 64], logits.shape);
        var error = golden.LargestError(logits);
        Assert.True(error <= 1e-4, $"the largest error is {error}");
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void The_state_dict_has_each_parameter_once_and_under_its_published_name(string name)
    {
        using var model = new CausalLanguageModel(new GoldenCheckpoint(name).Config, torch.META);
        Assert.Equal(model.named_parameters().Select(p => p.name).Order(StringComparer.Ordinal), model.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(model.state_dict().Keys, key => key.Split('.').Any(part => part.StartsWith('_') || part.StartsWith('<')));
    }

    [Theory]
    [InlineData("mixtral-8x7b", 46_702_792_704)]
    [InlineData("llama-2-7b", 6_738_415_616)]
    [InlineData("qwen3-30b-a3b", 30_532_122_624)]
    public void A_full_size_model_on_the_meta_device_has_the_published_number_of_parameters_and_takes_no_memory(string id, long published)
    {
        var config = ModelCatalog.Find(id).Config;
        var before = Environment.WorkingSet;
        var watch = Stopwatch.StartNew();
        using var model = new CausalLanguageModel(config, META, ScalarType.BFloat16);
        Assert.Equal(published, model.named_parameters().Sum(named => named.parameter.numel()));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"it took {watch.Elapsed}");
        Assert.True(Environment.WorkingSet - before < 500_000_000, "it took memory");
        Assert.Equal(published, ParameterCount.Of(config).TotalParameters);
    }

    [Fact]
    public void Every_catalogued_decoder_with_a_forward_pass_has_as_many_parameters_as_are_counted()
    {
        var compared = 0;
        foreach (var published in ModelCatalog.All)
        {
            try
            {
                using var model = new CausalLanguageModel(published.Config, META);
                Assert.True(
                    model.named_parameters().Sum(named => named.parameter.numel()) == ParameterCount.Of(published.Config).TotalParameters, published.Id);
                compared++;
            }
            catch (NotSupportedException)
            {
            }
        }

        Assert.True(compared >= 20, $"only {compared} models were compared");
    }

    [Fact]
    public void A_hundred_forward_passes_hold_the_number_of_live_tensors_constant()
    {
        using var noGradient = no_grad();
        var golden = new GoldenCheckpoint("qwen3-moe-tiny");
        using var model = golden.Load();
        using var tokens = golden.TokenTensor;
        using (model.forward(tokens)) { }
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 100; i++) model.forward(tokens).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        var config = ModelConfig.Dense(16, 1, 2, 2, 32, 20);
        using var scope = NewDisposeScope();
        using var first = new CausalLanguageModel(config, seed: 1);
        using var same = new CausalLanguageModel(config, seed: 1);
        using var other = new CausalLanguageModel(config, seed: 2);
        var name = "model.layers.0.mlp.up_proj.weight";
        Tensor Weight(CausalLanguageModel model) => model.named_parameters().Single(named => named.name == name).parameter;
        Assert.True(Weight(first).allclose(Weight(same)));
        Assert.False(Weight(first).allclose(Weight(other)));
        Assert.InRange(Weight(first).std().item<float>(), 0.015, 0.025);
    }

    [Fact]
    public void A_token_outside_the_vocabulary_or_a_wrong_shape_is_named_in_the_exception()
    {
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelConfig.Dense(16, 1, 2, 2, 32, 20));
        var outside = Assert.Throws<ArgumentException>(() => model.forward(tensor(new long[] { 3, 20 }, [1, 2])));
        Assert.Contains("must be from 0 to 19", outside.Message);
        var flat = Assert.Throws<ArgumentException>(() => model.forward(tensor(new long[] { 3, 4 })));
        Assert.Contains("tokens has shape [2] but [batch, sequence] is needed", flat.Message);
        var floats = Assert.Throws<ArgumentException>(() => model.forward(tensor(new float[] { 3, 4 }, [1, 2])));
        Assert.Contains("Int64", floats.Message);
    }
}
