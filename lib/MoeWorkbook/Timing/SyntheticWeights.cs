using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Weights whose values do not matter, made quickly: a few rows are drawn at random and repeated.</summary>
public static class SyntheticWeights
{
    private const int DrawnRows = 1024;

    /// <summary>The experts of one layer.</summary>
    /// <param name="experts">Number of experts E.</param>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="intermediateSize">Inner size of one expert.</param>
    /// <param name="type">Their type.</param>
    /// <param name="seed">Fixes the draws.</param>
    /// <param name="device">Where they lie; null for the CPU.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public static ExpertWeights Experts(int experts, int hiddenSize, int intermediateSize, ScalarType type, ulong seed = 0, Device? device = null)
    {
        var weights = new ExpertWeights(experts, hiddenSize, intermediateSize, init: new(device, type) { LeaveUninitialized = true });
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        Repeat(weights.GateUp, generator);
        Repeat(weights.Down, generator);
        return weights;
    }

    /// <summary>A whole model: matrices of repeated random rows, and ones in every norm.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="type">The type of the weights.</param>
    /// <param name="seed">Fixes the draws.</param>
    /// <param name="device">Where they lie; null for the CPU.</param>
    /// <exception cref="ArgumentException">The description contradicts itself.</exception>
    /// <exception cref="NotSupportedException">The architecture has a part without a forward pass here.</exception>
    public static CausalLanguageModel Model(ModelConfig config, ScalarType type, ulong seed = 0, Device? device = null)
    {
        var model = new CausalLanguageModel(config, new ParameterInit(device, type) { LeaveUninitialized = true });
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        foreach (var (_, parameter) in model.named_parameters())
        {
            if (parameter.dim() == 1) parameter.fill_(1);
            else Repeat(parameter, generator);
        }

        return model;
    }

    // Every expert gets the same rows: what is read and multiplied is the same as if they differed.
    private static void Repeat(Tensor weight, Generator generator)
    {
        var rows = weight.view(-1, weight.shape[^1]); // [rows, columns]
        long total = rows.shape[0], drawn = Math.Min(DrawnRows, total);
        var block = (randn(drawn, rows.shape[1], device: CPU, generator: generator) * 0.02).to(weight.dtype, weight.device);
        for (long at = 0; at < total; at += drawn)
        {
            var count = Math.Min(drawn, total - at);
            rows.narrow(0, at, count).copy_(block.narrow(0, 0, count));
        }
    }
}
