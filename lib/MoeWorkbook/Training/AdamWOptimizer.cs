using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>AdamW (Loshchilov &amp; Hutter 2019, algorithm 2) on float32 parameters on the CPU: one pass over weights, gradients and moments, where a chain of tensor operations makes a dozen.</summary>
internal sealed class AdamWOptimizer
{
    private readonly Slot[] _slots;

    /// <summary>The optimiser of a module's parameters; those that take no gradient stay as they are.</summary>
    public AdamWOptimizer(nn.Module module) => _slots = [.. module.named_parameters().Where(p => p.parameter.requires_grad).Select(p => new Slot(p.name, p.parameter))];

    /// <summary>The mean of the gradient and of its square for each parameter, by its name.</summary>
    public IEnumerable<(string Name, float[] Mean, float[] Square)> Moments => _slots.Select(slot => (slot.Name, slot.Mean, slot.Square));

    /// <summary>The Euclidean norm of all gradients together.</summary>
    public double GradientNorm()
    {
        using var scope = NewDisposeScope();
        return Math.Sqrt(_slots.Sum(slot => slot.SquaredGradient()));
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
        using var scope = NewDisposeScope();
        foreach (var slot in _slots) slot.Step(constants);
    }

    private readonly record struct Constants(float GradientScale, float Beta1, float Beta2, float Rate, float RootScale, float Epsilon, float Decay);

    /// <summary>A parameter and its moments.</summary>
    private sealed class Slot(string name, Parameter parameter)
    {
        private readonly bool _isMatrix = parameter.dim() > 1;

        public string Name => name;

        public float[] Mean { get; } = new float[parameter.numel()];

        public float[] Square { get; } = new float[parameter.numel()];

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

        public void Step(Constants constants)
        {
            var gradient = Gradient();
            if (gradient.IsEmpty) return;
            if (!_isMatrix) constants = constants with { Decay = 0 };
            var weight = Elements(parameter);
            var width = Vector<float>.Count;
            var i = 0;
            for (; i <= weight.Length - width; i += width) Update(weight.Slice(i, width), gradient.Slice(i, width), Mean.AsSpan(i, width), Square.AsSpan(i, width), constants);
            if (i == weight.Length) return;

            Span<float> rest = stackalloc float[4 * width];
            rest.Clear();
            weight[i..].CopyTo(rest);
            gradient[i..].CopyTo(rest[width..]);
            Mean.AsSpan(i).CopyTo(rest[(2 * width)..]);
            Square.AsSpan(i).CopyTo(rest[(3 * width)..]);
            Update(rest[..width], rest.Slice(width, width), rest.Slice(2 * width, width), rest[(3 * width)..], constants);
            var count = weight.Length - i;
            rest[..count].CopyTo(weight[i..]);
            rest.Slice(2 * width, count).CopyTo(Mean.AsSpan(i));
            rest.Slice(3 * width, count).CopyTo(Square.AsSpan(i));
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
        private Span<float> Gradient() => parameter.grad is { } gradient ? Elements(gradient.contiguous()) : [];

        private static Span<float> Elements(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
    }
}
