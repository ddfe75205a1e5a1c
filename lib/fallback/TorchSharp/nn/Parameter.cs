using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>A tensor that is a weight. It takes over the tensor that it is made from, and that tensor's place in a dispose scope:
/// what is made inside a scope must be detached from it, as <see cref="Linear"/> does.</summary>
public class Parameter : Tensor
{
    public Parameter(Tensor data, bool requires_grad = true) : base(data.requires_grad_(requires_grad)) { }
}
