using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>AdamW (Loshchilov &amp; Hutter 2019, algorithm 2) on float32 parameters. On the CPU one pass over weights, gradients and moments, where a chain of tensor operations makes a dozen; on another device that chain, because only tensors reach its memory.</summary>
internal sealed class AdamWOptimizer : IDisposable
{
    private readonly Slot[] _slots;

    /// <summary>The optimiser of a module's parameters; those that take no gradient stay as they are.</summary>
    public AdamWOptimizer(nn.Module module) : this(module, onHost: module.parameters().All(parameter => parameter.is_cpu()))
    {
    }

    /// <summary>The optimiser in one of its two ways; that of tensors computes on every device.</summary>
    internal AdamWOptimizer(nn.Module module, bool onHost) => _slots =
        [.. module.named_parameters().Where(p => p.parameter.requires_grad).Select(p => onHost ? (Slot)new HostSlot(p.name, p.parameter) : new TensorSlot(p.name, p.parameter))];

    /// <summary>The mean of the gradient and of its square for each parameter, by its name, on the parameter's device.</summary>
    public IEnumerable<(string Name, Tensor Mean, Tensor Square)> Moments => _slots.Select(slot => (slot.Name, slot.Mean, slot.Square));

    /// <summary>The Euclidean norm of all gradients together.</summary>
    public double GradientNorm()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        // All on their way before the first is waited for.
        Tensor[] squares = [.. _slots.OfType<TensorSlot>().Select(slot => slot.SquaredGradient()).OfType<Tensor>()];
        var onDevice = squares.Length == 0 ? 0 : stack(squares).sum().cpu().item<double>();
        return Math.Sqrt(onDevice + _slots.OfType<HostSlot>().Sum(slot => slot.SquaredGradient()));
    }

    /// <summary>Moves every parameter against its gradient.</summary>
    /// <param name="step">The number of the step, from 1: the moments started at zero, which is corrected.</param>
    /// <param name="gradientScale">A factor on the gradient, below 1 where it is too long.</param>
    /// <param name="options">Learning rate, decay rates and weight decay.</param>
    public void Step(int step, double gradientScale, TrainingOptions options)
    {
        var rate = options.LearningRateAt(step);
        var constants = new Constants(
            (float)gradientScale, (float)options.Beta1, (float)options.Beta2, (float)(rate / (1 - Math.Pow(options.Beta1, step))),
            (float)(1 / Math.Sqrt(1 - Math.Pow(options.Beta2, step))), (float)options.Epsilon, (float)(rate * options.WeightDecay));
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var slot in _slots) slot.Step(slot.IsMatrix ? constants : constants with { Decay = 0 });
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
        }
    }

    private readonly record struct Constants(float GradientScale, float Beta1, float Beta2, float Rate, float RootScale, float Epsilon, float Decay);

    /// <summary>A parameter and its moments.</summary>
    private abstract class Slot(string name, Parameter parameter)
    {
        public string Name => name;

        public bool IsMatrix => Parameter.dim() > 1;

        public Tensor Mean { get; } = zeros_like(parameter).DetachFromDisposeScope();

        public Tensor Square { get; } = zeros_like(parameter).DetachFromDisposeScope();

        protected Parameter Parameter { get; } = parameter;

        public abstract void Step(in Constants constants);
    }

    /// <summary>One that is updated by tensor operations, on any device.</summary>
    private sealed class TensorSlot(string name, Parameter parameter) : Slot(name, parameter)
    {
        /// <summary>The sum of the squares of the gradient's elements, a float64 scalar; null where no gradient reached the parameter.</summary>
        public Tensor? SquaredGradient() => Parameter.grad?.square().sum(ScalarType.Float64);

        public override void Step(in Constants c)
        {
            if (Parameter.grad is not { } unscaled) return;
            var gradient = unscaled * c.GradientScale;
            Mean.mul_(c.Beta1).add_(gradient, 1 - c.Beta1);
            Square.mul_(c.Beta2).addcmul_(gradient, gradient, 1 - c.Beta2);
            Parameter.mul_(1 - c.Decay).addcdiv_(Mean, Square.sqrt().mul_(c.RootScale).add_(c.Epsilon), -c.Rate);
        }
    }

    /// <summary>One that is updated in one pass over the CPU's memory.</summary>
    private sealed class HostSlot(string name, Parameter parameter) : Slot(name, parameter)
    {
        public double SquaredGradient()
        {
            var gradient = Gradient();
            var whole = MemoryMarshal.Cast<float, Vector<float>>(gradient);
            var sums = Vector<double>.Zero;
            foreach (var part in whole)
            {
                Vector.Widen(part, out var lower, out var upper);
                sums += lower * lower + upper * upper;
            }

            var sum = Vector.Sum(sums);
            foreach (var rest in gradient[(whole.Length * Vector<float>.Count)..]) sum += (double)rest * rest;
            return sum;
        }

        public override void Step(in Constants constants)
        {
            var gradient = Gradient();
            if (gradient.IsEmpty) return;
            Span<float> weight = Elements(Parameter), mean = Elements(Mean), square = Elements(Square);
            var width = Vector<float>.Count;
            var i = 0;
            for (; i <= weight.Length - width; i += width) Update(weight.Slice(i, width), gradient.Slice(i, width), mean.Slice(i, width), square.Slice(i, width), constants);
            if (i == weight.Length) return;

            Span<float> rest = stackalloc float[4 * width];
            rest.Clear();
            weight[i..].CopyTo(rest);
            gradient[i..].CopyTo(rest[width..]);
            mean[i..].CopyTo(rest[(2 * width)..]);
            square[i..].CopyTo(rest[(3 * width)..]);
            Update(rest[..width], rest.Slice(width, width), rest.Slice(2 * width, width), rest[(3 * width)..], constants);
            var count = weight.Length - i;
            rest[..count].CopyTo(weight[i..]);
            rest.Slice(2 * width, count).CopyTo(mean[i..]);
            rest.Slice(3 * width, count).CopyTo(square[i..]);
        }

        private static void Update(Span<float> weight, ReadOnlySpan<float> gradient, Span<float> mean, Span<float> square, in Constants c)
        {
            var g = new Vector<float>(gradient) * c.GradientScale;
            var m = new Vector<float>(mean) * c.Beta1 + g * (1 - c.Beta1);
            var v = new Vector<float>(square) * c.Beta2 + g * g * (1 - c.Beta2);
            var w = new Vector<float>(weight) * (1 - c.Decay) - m * c.Rate / (Vector.SquareRoot(v) * c.RootScale + new Vector<float>(c.Epsilon));
            m.CopyTo(mean);
            v.CopyTo(square);
            w.CopyTo(weight);
        }

        /// <summary>The gradient's elements; none where no gradient reached the parameter.</summary>
        private Span<float> Gradient() => Parameter.grad is { } gradient ? Elements(gradient.contiguous()) : [];

        private static Span<float> Elements(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
    }
}
