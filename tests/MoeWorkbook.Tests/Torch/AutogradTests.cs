using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Torch;

public class AutogradTests
{
    [Fact]
    public void Gradients_agree_with_finite_differences()
    {
        using var scope = NewDisposeScope();
        static Tensor Loss(Tensor x) => (x.matmul(x.t()).softmax(-1).log() * x.sum(1, keepdim: true)).sum() + nn.functional.silu(x).square().sum();
        double[] values = [0.3, -0.2, 0.5, 1.1, 0.7, -0.4];
        var x = tensor(values, [2, 3], requires_grad: true);
        Loss(x).backward();
        var grad = x.grad!.data<double>().ToArray();
        for (int k = 0; k < values.Length; k++)
        {
            double Shifted(double h) => Loss(tensor(values.Select((value, j) => j == k ? value + h : value).ToArray(), [2, 3])).item<double>();
            Assert.Equal((Shifted(1e-5) - Shifted(-1e-5)) / 2e-5, grad[k], 6);
        }
    }

    [Fact]
    public void Gradients_add_up_until_they_are_set_to_zero()
    {
        using var scope = NewDisposeScope();
        var x = tensor(2f, requires_grad: true);
        (x * x).backward();
        (x * x).backward();
        Assert.Equal(8, x.grad!.item<float>());
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void Nothing_is_recorded_without_grad_or_after_detach()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        using (no_grad())
        {
            Assert.False((x * 2).requires_grad);
            using (enable_grad()) Assert.True((x * 2).requires_grad);
        }
        Assert.True((x * 2).requires_grad);
        Assert.False((x * 2).detach().requires_grad);
        Assert.True(is_grad_enabled());
    }

    [Fact]
    public void Grad_of_chosen_inputs_leaves_the_others_alone()
    {
        using var scope = NewDisposeScope();
        var x = tensor(3.0, requires_grad: true);
        var y = tensor(4.0, requires_grad: true);
        var grads = autograd.grad([x * x * y], [x]);
        Assert.Equal(24, Assert.Single(grads).item<double>());
        Assert.Null(x.grad);
        Assert.Null(y.grad);
    }

    [Fact]
    public void Gradients_flow_through_topk_gather_and_index_add()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 3, 2 }, requires_grad: true);
        var (values, indices) = x.topk(2);
        zeros(3).index_add(0, indices, values, 1).mul(tensor(new float[] { 1, 10, 100 })).sum().backward();
        Assert.Equal([0f, 10, 100], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void An_AdamW_step_agrees_with_hand_computation()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new double[] { 1.0 }));
        using var optimizer = optim.AdamW([weight], lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.5);
        double w = 1, m = 0, v = 0;
        for (int step = 1; step <= 3; step++)
        {
            optimizer.zero_grad();
            (weight * weight).sum().backward();
            optimizer.step();
            double g = 2 * w;
            m = 0.9 * m + 0.1 * g;
            v = 0.99 * v + 0.01 * g * g;
            w = w * (1 - 0.1 * 0.5) - 0.1 * (m / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v / (1 - Math.Pow(0.99, step))) + 1e-8);
            Assert.Equal(w, weight.item<double>(), 10);
        }
    }

    [Fact]
    public void An_SGD_step_with_momentum_agrees_with_hand_computation()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(tensor(new double[] { 1.0 }));
        using var optimizer = optim.SGD([weight], 0.1, momentum: 0.9);
        foreach (double expected in new[] { 0.8, 0.46 })
        {
            optimizer.zero_grad();
            (weight * weight).sum().backward();
            optimizer.step();
            Assert.Equal(expected, weight.item<double>(), 10);
        }
    }

    [Fact]
    public void The_learning_rate_of_each_group_can_be_changed()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(ones(1));
        using var optimizer = optim.SGD([weight], 0.1);
        foreach (var group in optimizer.ParamGroups) group.LearningRate = 0.5;
        weight.sum().backward();
        optimizer.step();
        Assert.Equal(0.5f, weight.item<float>());
    }

    [Fact]
    public void An_optimizer_goes_on_from_its_saved_state()
    {
        using var scope = NewDisposeScope();
        static void Step(Parameter weight, AdamW optimizer)
        {
            optimizer.zero_grad();
            weight.square().sum().backward();
            optimizer.step();
        }
        var first = new Parameter(tensor(new float[] { 1, 2 }));
        using var optimizer = optim.AdamW([first], lr: 0.1);
        Step(first, optimizer);
        using var state = new MemoryStream();
        optimizer.save_state_dict(new BinaryWriter(state));
        var second = new Parameter(first.detach().clone());
        using var resumed = optim.AdamW([second], lr: 0.7);
        state.Position = 0;
        resumed.load_state_dict(new BinaryReader(state));
        Step(first, optimizer);
        Step(second, resumed);
        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void Clipping_scales_gradients_to_the_norm()
    {
        using var scope = NewDisposeScope();
        var a = new Parameter(ones(1));
        var b = new Parameter(ones(1));
        (3 * a + 4 * b).backward();
        Assert.Equal(5, nn.utils.clip_grad_norm_([a, b], 1), 5);
        Assert.Equal(0.6, a.grad!.ToDouble(), 4);
        Assert.Equal(0.8, b.grad!.ToDouble(), 4);
    }
}
