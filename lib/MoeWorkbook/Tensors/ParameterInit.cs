using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Where and how the weights of a layer are made: device, type, and the distribution that matrices are drawn from.</summary>
/// <remarks>On the meta device nothing is allocated and nothing drawn: a model of any size is described in a moment.</remarks>
/// <param name="Device">Where the weights lie; null for the CPU.</param>
/// <param name="DataType">Their type; null for float32.</param>
public sealed record ParameterInit(Device? Device = null, ScalarType? DataType = null)
{
    /// <summary>The source of random numbers, a generator of the CPU: it gives the same weights on every <see cref="Device"/>. Null for TorchSharp's global one
    /// of the device.</summary>
    public Generator? Generator { get; init; }

    /// <summary>The standard deviation σ of a matrix's elements, drawn from N(0, σ²); 0.02 as in GPT-2.</summary>
    public double StandardDeviation { get; init; } = 0.02;

    /// <summary>A factor on σ for projections that write into the residual stream; 1/√(2·layers) in GPT-2 (Radford et al. 2019), 1 for none.</summary>
    public double ResidualScale { get; init; } = 1;

    /// <summary>Whether the weights are left as the allocator gives them, because a checkpoint is about to overwrite every one.</summary>
    internal bool LeaveUninitialized { get; init; }

    /// <summary>The factory for projections that write into the residual stream.</summary>
    public ParameterInit ForResidual => this with { StandardDeviation = StandardDeviation * ResidualScale, ResidualScale = 1 };

    /// <summary>A parameter drawn from N(0, σ²).</summary>
    /// <param name="shape">The sizes of its dimensions.</param>
    public Parameter Normal(params long[] shape)
    {
        var data = Empty(shape);
        if (!data.is_meta && !LeaveUninitialized) Draw(data);
        return Own(data);
    }

    /// <summary>A parameter filled with one value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="shape">The sizes of its dimensions.</param>
    public Parameter Constant(double value, params long[] shape)
    {
        var data = Empty(shape);
        if (!data.is_meta && !LeaveUninitialized) data.fill_(value);
        return Own(data);
    }

    private void Draw(Tensor data)
    {
        if (Generator is null || data.is_cpu())
        {
            data.normal_(0, StandardDeviation, Generator);
            return;
        }

        using var drawn = empty(data.shape, dtype: data.dtype, device: CPU);
        data.copy_(drawn.normal_(0, StandardDeviation, Generator));
    }

    private Tensor Empty(long[] shape) => LargePages.Advise(empty(shape, dtype: DataType ?? ScalarType.Float32, device: Device ?? CPU));

    /// <summary>A parameter belongs to its module, not to the dispose scope in which the module happened to be made.</summary>
    private static Parameter Own(Tensor data)
    {
        var parameter = new Parameter(data);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
