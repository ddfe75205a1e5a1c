using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) => new(inputSize, outputSize, hasBias, device, dtype);

            public static Linear Linear(Parameter weight, Parameter? bias = null) => new(weight, bias);

            public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>y = x·Wᵀ + b, with W <c>[out, in]</c>.</summary>
    public sealed class Linear : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = nameof(weight))] private Parameter? _w;
        [ComponentName(Name = nameof(bias))] private Parameter? _b;

        internal Linear(Parameter weight, Parameter? bias) : base(nameof(Linear)) => (this.weight, this.bias) = (weight, bias);

        internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Linear))
        {
            weight = new Parameter(empty(outputSize, inputSize, dtype, device));
            nn.init.kaiming_uniform_(weight, a: Math.Sqrt(5));
            if (!hasBias) return;
            double bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
            bias = new Parameter(empty(outputSize, dtype, device));
            nn.init.uniform_(bias, -bound, bound);
        }

        public long in_features => weight.size(1);

        public long out_features => weight.size(0);

        public Parameter weight
        {
            get => _w!;
            set => Put(nameof(weight), ref _w, value);
        }

        public Parameter? bias
        {
            get => _b;
            set => Put(nameof(bias), ref _b, value);
        }

        public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, weight, bias);
    }
}
