using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class PlainMoeLayerTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(4)]
    public void The_layer_on_one_slide_computes_what_the_full_one_does_and_the_same_gradients(int k)
    {
        using var scope = NewDisposeScope();
        var init = new ParameterInit { Generator = new Generator(7), StandardDeviation = 0.5 };
        using var full = new MoeLayer(new SoftmaxTopKRouter(6, 4, k, init: init), new ExpertWeights(4, 6, 10, init: init));
        using var gate = nn.Linear(6, 4, hasBias: false);
        var blocks = Enumerable.Range(0, 4).Select(_ => new FeedForward(6, 10)).ToArray();
        using (no_grad())
        {
            gate.weight.copy_(((LinearRouter)full.Router).Weight);
            foreach (var (block, expert) in blocks.Zip(full.Experts.Unbind()))
            {
                block.get_parameter("gate_proj.weight")!.copy_(expert.GateUp.narrow(0, 0, 10));
                block.get_parameter("up_proj.weight")!.copy_(expert.GateUp.narrow(0, 10, 10));
                block.get_parameter("down_proj.weight")!.copy_(expert.Down);
            }
        }

        using var plain = new PlainMoeLayer(gate, new ModuleList<nn.Module<Tensor, Tensor>>(blocks), k);
        var tokens = randn(9, 6, generator: new Generator(8));
        var (ofPlain, ofFull) = (plain.forward(tokens), full.forward(tokens.unsqueeze(0)).squeeze(0));
        Assert.True(ofPlain.allclose(ofFull, atol: 1e-6), $"{ofPlain - ofFull:F8}");

        var direction = randn(9, 6, generator: new Generator(9));
        (ofPlain * direction).sum().backward();
        (ofFull * direction).sum().backward();
        Assert.True(gate.weight.grad!.allclose(((LinearRouter)full.Router).Weight.grad!, atol: 1e-5));
        Assert.True(blocks[0].get_parameter("down_proj.weight")!.grad!.allclose(full.Experts.Down.grad![0], atol: 1e-5));
    }

    [Fact]
    public void The_slide_is_shorter_than_the_33_lines_of_mistral_inference()
    {
        var code = File.ReadLines(Path.Combine(Repository.Root, "lib", "MoeWorkbook", "Experts", "PlainMoeLayer.cs"))
            .Where(line => line.Trim() is { Length: > 0 } text && !text.StartsWith("///", StringComparison.Ordinal)
            && !text.StartsWith("using ", StringComparison.Ordinal) && !text.StartsWith("namespace ", StringComparison.Ordinal));
        Assert.InRange(code.Count(), 1, 32);
    }
}
