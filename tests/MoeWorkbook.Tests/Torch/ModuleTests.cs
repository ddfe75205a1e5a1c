using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Torch;

public class ModuleTests
{
    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly Linear project;
        private readonly ModuleList<Linear> layers;
        private readonly Parameter gain;
        private readonly Tensor offset;

        public Block() : base(nameof(Block))
        {
            project = nn.Linear(4, 4, hasBias: false);
            layers = nn.ModuleList(nn.Linear(4, 4), nn.Linear(4, 4));
            gain = new Parameter(ones(4));
            offset = ones(4);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => layers[1].forward(layers[0].forward(project.forward(input))) * gain + offset;
    }

    private sealed class Named : nn.Module<Tensor, Tensor>
    {
        public Named() : base(nameof(Named))
        {
            register_module("self_attn", nn.Linear(2, 2));
            register_parameter("bias", new Parameter(zeros(2)));
            register_buffer("positions", arange(2));
        }

        public override Tensor forward(Tensor input) => input;
    }

    [Fact]
    public void Fields_are_registered_under_their_names()
    {
        using var block = new Block();
        Assert.Equal(
            ["gain", "layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight", "project.weight"],
            block.named_parameters().Select(named => named.name).Order(StringComparer.Ordinal));
        Assert.Contains("offset", block.state_dict().Keys);
        Assert.Equal(["0", "1"], block.named_modules().Where(named => named.name.StartsWith("layers.", StringComparison.Ordinal)).Select(named => named.name[7..]));
    }

    [Fact]
    public void Chosen_names_are_kept()
    {
        using var named = new Named();
        Assert.Equal(["bias", "positions", "self_attn.bias", "self_attn.weight"], named.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.NotNull(named.get_parameter("self_attn.weight"));
        Assert.Null(named.get_parameter("self_attn.gain"));
        Assert.Throws<InvalidOperationException>(() => named.register_parameter("bias", new Parameter(zeros(1))));
        Assert.Throws<ArgumentException>(() => named.register_module("a.b", nn.Linear(1, 1)));
    }

    [Fact]
    public void A_linear_layer_multiplies_by_the_transposed_weight()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(new Parameter(tensor(new float[] { 1, 2, 3, 4 }, [2, 2])), new Parameter(tensor(new float[] { 10, 20 })));
        Assert.Equal([13f, 27], linear.forward(ones(2)).data<float>().ToArray());
        Assert.Equal([2L, 2], linear.weight.shape);
    }

    [Fact]
    public void An_embedding_looks_rows_up()
    {
        using var scope = NewDisposeScope();
        using var embedding = nn.Embedding(5, 3);
        Assert.True(embedding.forward(tensor(new long[] { 4 }))[0].allclose(embedding.weight![4]));
    }

    [Fact]
    public void Dropout_acts_in_training_only()
    {
        using var scope = NewDisposeScope();
        using var dropout = nn.Dropout(0.5);
        dropout.eval();
        Assert.True(dropout.forward(ones(1000)).allclose(ones(1000)));
        dropout.train();
        Assert.All(dropout.forward(ones(1000)).data<float>().Distinct(), value => Assert.Contains(value, new[] { 0f, 2 }));
    }

    [Fact]
    public void Train_and_eval_reach_every_module()
    {
        using var block = new Block();
        block.eval();
        Assert.All(block.modules(), module => Assert.False(module.training));
        block.train();
        Assert.All(block.modules(), module => Assert.True(module.training));
    }

    [Fact]
    public void Conversion_reaches_every_parameter_and_keeps_whole_numbers()
    {
        using var scope = NewDisposeScope();
        using var named = new Named();
        named.to(bfloat16);
        Assert.All(named.parameters(), parameter => Assert.Equal(bfloat16, parameter.dtype));
        Assert.Equal(int64, named.get_buffer("positions")!.dtype);
        using var block = new Block();
        block.to(float64);
        Assert.Equal(float64, block.forward(ones(1, 4, dtype: float64)).dtype);
        Assert.Throws<ArgumentException>(() => block.to(int64));
    }

    [Fact]
    public void Saving_and_loading_gives_the_same_weights()
    {
        using var scope = NewDisposeScope();
        using var first = new Block();
        using var second = new Block();
        string file = Path.GetTempFileName();
        try
        {
            first.save(file);
            second.load(file);
            Assert.True(first.forward(ones(2, 4)).allclose(second.forward(ones(2, 4))));
            using var other = new Named();
            Assert.Throws<ArgumentException>(() => other.load(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_state_dict_is_copied_by_name()
    {
        using var scope = NewDisposeScope();
        using var first = new Block();
        using var second = new Block();
        second.load_state_dict(first.state_dict());
        Assert.True(first.forward(ones(2, 4)).allclose(second.forward(ones(2, 4))));
        Assert.Throws<InvalidOperationException>(() => second.load_state_dict(new() { ["nothing"] = ones(1) }));
        var (missing, unexpected) = second.load_state_dict(new() { ["gain"] = zeros(4), ["nothing"] = ones(1) }, strict: false);
        Assert.Equal(["nothing"], unexpected);
        Assert.Equal(6, missing.Count);
    }

    [Fact]
    public void Gradients_are_cleared_everywhere()
    {
        using var scope = NewDisposeScope();
        using var block = new Block();
        block.forward(ones(2, 4)).sum().backward();
        Assert.All(block.parameters(), parameter => Assert.NotNull(parameter.grad));
        block.zero_grad();
        Assert.All(block.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Fact]
    public void A_module_can_be_built_on_the_meta_device()
    {
        using var linear = nn.Linear(1_000_000, 1_000_000, device: META);
        Assert.True(linear.weight.is_meta);
        Assert.Equal(1_000_001_000_000, linear.parameters().Sum(parameter => parameter.numel()));
    }

    [Fact]
    public void Initialisation_has_the_asked_spread()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var x = empty(200, 100);
        Assert.Equal(0.02, nn.init.normal_(x, 0, 0.02).std().ToDouble(), 3);
        nn.init.xavier_uniform_(x);
        Assert.InRange(x.max().ToDouble(), 0.9 * Math.Sqrt(6.0 / 300), Math.Sqrt(6.0 / 300));
        Assert.Equal(0, nn.init.zeros_(x).abs().sum().ToDouble());
    }

    [Fact]
    public void Causal_attention_does_not_see_the_future()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        Tensor query = randn(1, 1, 4, 8), key = randn(1, 1, 4, 8), value = randn(1, 1, 4, 8);
        var all = nn.functional.scaled_dot_product_attention(query, key, value, is_casual: true);
        var begun = nn.functional.scaled_dot_product_attention(query[TensorIndex.Ellipsis, ..2, ..], key[TensorIndex.Ellipsis, ..2, ..], value[TensorIndex.Ellipsis, ..2, ..], is_casual: true);
        Assert.True(all[TensorIndex.Ellipsis, ..2, ..].allclose(begun, atol: 1e-6));
    }
}
