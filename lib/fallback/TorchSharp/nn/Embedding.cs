using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class nn
        {
            public static Embedding Embedding(long num_embeddings, long embedding_dims, Device? device = null, ScalarType? dtype = null) => new(num_embeddings, embedding_dims, device, dtype);
        }
    }
}

namespace TorchSharp.Modules
{
    /// <summary>Row <c>i</c> of the weight for every index <c>i</c>.</summary>
    public sealed class Embedding : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = nameof(weight))] private Parameter? _w;

        internal Embedding(long num_embeddings, long embedding_dims, Device? device, ScalarType? dtype) : base(nameof(Embedding)) =>
            weight = new Parameter(randn(num_embeddings, embedding_dims, dtype, device));

        public Parameter? weight
        {
            get => _w;
            set => Put(nameof(weight), ref _w, value);
        }

        public override Tensor forward(Tensor input) => Libtorch.Call("embedding", weight, input);
    }
}
