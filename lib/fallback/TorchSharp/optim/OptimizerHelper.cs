using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>An optimizer that keeps a state for every parameter.</summary>
public abstract class OptimizerHelper : optim.Optimizer
{
    private readonly Dictionary<Parameter, OptimizerState> _states = new(ReferenceEqualityComparer.Instance);

    private protected OptimizerHelper(OptimizerOptions defaults) => _defaults = defaults;

    protected OptimizerOptions _defaults;

    private protected OptimizerState StateOf(Parameter parameter) => _states[parameter];

    private protected void Add(ParamGroup group, Func<Parameter, OptimizerState> state)
    {
        group.Parameters = [.. group.Parameters];
        group.Options.InitialLearningRate = group.Options.LearningRate!.Value;
        _parameter_groups.Add(group);
        foreach (var parameter in group.Parameters)
        {
            _states[parameter] = state(parameter);
            _states[parameter].Initialize(group.Options);
        }
    }

    protected Tensor _step<T>(Action<T> body, Func<Tensor>? loss_closure = null) where T : ParamGroup
    {
        Tensor loss = null!;
        if (loss_closure is not null)
            using (enable_grad()) loss = loss_closure();
        using var recording = no_grad();
        using var scope = NewDisposeScope();
        foreach (var group in _parameter_groups) body((T)group);
        return loss;
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        foreach (var state in _states.Values) (state as IDisposable)?.Dispose();
    }

    public void to(Device device)
    {
        foreach (var state in _states.Values) state.to(device);
    }

    // ---- TorchSharp's file format: the optimizer's name, two counts (LEB128), every group's options, every parameter's state ----

    public void save_state_dict(string location)
    {
        using var writer = new BinaryWriter(File.Create(location));
        save_state_dict(writer);
    }

    public void save_state_dict(BinaryWriter writer)
    {
        writer.Write(GetType().Name);
        writer.Write7BitEncodedInt64(_parameter_groups.Count);
        writer.Write7BitEncodedInt64(parameters().Count());
        foreach (var group in _parameter_groups) group.Options.SaveStateDict(writer);
        foreach (var parameter in parameters()) _states[parameter].SaveStateDict(writer);
    }

    public void load_state_dict(string location)
    {
        using var reader = new BinaryReader(File.OpenRead(location));
        load_state_dict(reader);
    }

    public void load_state_dict(BinaryReader reader)
    {
        string name = reader.ReadString();
        if (name != GetType().Name) throw new InvalidDataException($"Mismatched optimizer type: expected '{GetType().Name}', but found '{name}' in the loaded stream.");
        if (reader.Read7BitEncodedInt64() != _parameter_groups.Count) throw new ArgumentException("Invalid optimizer state -- different number of parameter groups.");
        if (reader.Read7BitEncodedInt64() != parameters().Count()) throw new ArgumentException("Invalid optimizer state -- different number of states.");
        foreach (var group in _parameter_groups) group.Options.LoadStateDict(reader);
        foreach (var parameter in parameters()) _states[parameter].LoadStateDict(reader);
    }
}
