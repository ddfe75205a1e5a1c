using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A part of a decoder: it takes hidden states <c>[batch, sequence, hidden]</c> and what the layers of one forward pass share.</summary>
/// <param name="name">The module's name.</param>
public abstract class TransformerModule(string name) : Module<Tensor, ForwardContext, Tensor>(name)
{
    /// <summary>Computes the module on its own: positions begin at 0, and nothing is kept.</summary>
    /// <param name="hidden"><c>[batch, sequence, hidden]</c>.</param>
    /// <returns><c>[batch, sequence, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public Tensor forward(Tensor hidden)
    {
        using var context = new ForwardContext();
        return forward(hidden, context);
    }

    /// <summary>Does nothing: the constructors register every part under its published name, and TorchSharp would add each field under its own.</summary>
    protected sealed override void RegisterComponents()
    {
    }
}
