using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>AdamW (Loshchilov &amp; Hutter 2019, algorithm 2) on float32 parameters, after the gradient was shortened. On the CPU one pass over weights,
/// gradients and moments, where the chain of tensor operations that other devices get makes a dozen.</summary>
internal sealed class AdamWOptimizer : IDisposable
{
    private readonly (string Name, Parameter Parameter, Tensor Mean, Tensor Square)[] _slots;
    private readonly bool _onHost;

    /// <summary>The optimiser of a module's parameters; those that take no gradient stay as they are.</summary>
    /// <param name="module">The module.</param>
    /// <param name="onHost">Whether its elements are reached directly; null where all lie on the CPU. Tensor operations compute on every device.</param>
    public AdamWOptimizer(nn.Module module, bool? onHost = null)
    {
        _slots = [.. module.named_parameters().Where(p => p.parameter.requires_grad)
            .Select(p => (p.name, p.parameter, zeros_like(p.parameter).DetachFromDisposeScope(), zeros_like(p.parameter).DetachFromDisposeScope()))];
        _onHost = onHost ?? _slots.All(slot => slot.Parameter.is_cpu());
    }

    /// <summary>The mean of the gradient and of its square for each parameter, by its name, on the parameter's device.</summary>
    public IEnumerable<(string Name, Tensor Mean, Tensor Square)> Moments => _slots.Select(slot => (slot.Name, slot.Mean, slot.Square));

    /// <summary>Shortens the gradient where it is too long, and moves every parameter that has one against it.</summary>
    /// <param name="step">The number of the step, from 1: the moments started at zero, which is corrected.</param>
    /// <param name="options">Learning rate, decay rates, weight decay and the longest gradient.</param>
    /// <returns>The Euclidean norm of all gradients together, before they were shortened. Where it is not finite nothing was moved.</returns>
    public double Step(int step, TrainingOptions options)
    {
        var norm = nn.utils.clip_grad_norm_(_slots.Select(slot => slot.Parameter), options.MaxGradientNorm);
        if (!double.IsFinite(norm)) return norm; // which no weight survives
        var rate = options.LearningRateAt(step);
        var constants = new Constants(
            (float)options.Beta1, (float)options.Beta2, (float)(rate / (1 - Math.Pow(options.Beta1, step))),
            (float)(1 / Math.Sqrt(1 - Math.Pow(options.Beta2, step))), (float)options.Epsilon, (float)(rate * options.WeightDecay));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (_, parameter, mean, square) in _slots)
        {
            if (parameter.grad is not { } gradient) continue;
            var own = parameter.dim() > 1 ? constants : constants with { Decay = 0 };
            if (_onHost) Update(Elements(parameter), Elements(gradient.contiguous()), Elements(mean), Elements(square), own);
            else Update(parameter, gradient, mean, square, own);
        }

        return norm;
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach (var (_, _, mean, square) in _slots)
        {
            mean.Dispose();
            square.Dispose();
        }
    }

    private static Span<float> Elements(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static void Update(Tensor weight, Tensor gradient, Tensor mean, Tensor square, in Constants c)
    {
        mean.mul_(c.Beta1).add_(gradient, 1 - c.Beta1);
        square.mul_(c.Beta2).addcmul_(gradient, gradient, 1 - c.Beta2);
        weight.mul_(1 - c.Decay).addcdiv_(mean, square.sqrt().mul_(c.RootScale).add_(c.Epsilon), -c.Rate);
    }

    private static void Update(Span<float> weight, ReadOnlySpan<float> gradient, Span<float> mean, Span<float> square, in Constants c)
    {
        var width = Vector<float>.Count;
        var i = 0;
        for (; i <= weight.Length - width; i += width) UpdateVector(weight.Slice(i, width), gradient.Slice(i, width),
            mean.Slice(i, width), square.Slice(i, width), c);
        if (i == weight.Length) return;

        Span<float> rest = stackalloc float[4 * width];
        rest.Clear();
        weight[i..].CopyTo(rest);
        gradient[i..].CopyTo(rest[width..]);
        mean[i..].CopyTo(rest[(2 * width)..]);
        square[i..].CopyTo(rest[(3 * width)..]);
        UpdateVector(rest[..width], rest.Slice(width, width), rest.Slice(2 * width, width), rest[(3 * width)..], c);
        var count = weight.Length - i;
        rest[..count].CopyTo(weight[i..]);
        rest.Slice(2 * width, count).CopyTo(mean[i..]);
        rest.Slice(3 * width, count).CopyTo(square[i..]);
    }

    private static void UpdateVector(Span<float> weight, ReadOnlySpan<float> gradient, Span<float> mean, Span<float> square, in Constants c)
    {
        var g = new Vector<float>(gradient);
        var m = new Vector<float>(mean) * c.Beta1 + g * (1 - c.Beta1);
        var v = new Vector<float>(square) * c.Beta2 + g * g * (1 - c.Beta2);
        var w = new Vector<float>(weight) * (1 - c.Decay) - m * c.Rate / (Vector.SquareRoot(v) * c.RootScale + new Vector<float>(c.Epsilon));
        m.CopyTo(mean);
        v.CopyTo(square);
        w.CopyTo(weight);
    }

    private readonly record struct Constants(float Beta1, float Beta2, float Rate, float RootScale, float Epsilon, float Decay);
}
