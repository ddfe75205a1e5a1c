using static TorchSharp.torch;

namespace TorchSharp.Modules;

public abstract class OptimizerState
{
    protected Parameter _parameter;

    protected OptimizerState(Parameter parameter) => _parameter = parameter;

    public abstract void Initialize(OptimizerOptions options);

    public abstract void SaveStateDict(BinaryWriter writer);

    public abstract void LoadStateDict(BinaryReader reader);

    public virtual void to(Device device) { }

    /// <summary>Zeros like the parameter, which live as long as the optimizer.</summary>
    private protected Tensor Zeros() => zeros_like(_parameter).DetachFromDisposeScope();
}
