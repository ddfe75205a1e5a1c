using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Switch Transformers' router: each token goes to its one most probable expert, weighted by that probability (Fedus et al. 2021, section
/// 2.1).</summary>
/// <remarks>While training, each element of the hidden state is multiplied by a random factor near one before the logits are computed, so that close decisions
/// are explored.</remarks>
public sealed class SwitchRouter : LinearRouter
{
    /// <summary>A router to one of E experts.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="jitter">ε: while training, factors are uniform from 1 − ε to 1 + ε; 0 for none.</param>
    /// <param name="bias">Whether the logits have a bias.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or ε is not from 0 to below 1.</exception>
    public SwitchRouter(int hiddenSize, int expertCount, double jitter = 0.01, bool bias = false, ParameterInit? init = null)
        : base(nameof(SwitchRouter), hiddenSize, expertCount, init, bias)
    {
        if (!(jitter >= 0 && jitter < 1)) throw new ArgumentOutOfRangeException(nameof(jitter), jitter, "jitter must be from 0 to below 1.");
        Jitter = jitter;
    }

    /// <summary>ε: while training, factors are uniform from 1 − ε to 1 + ε.</summary>
    public double Jitter { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var jittered = training && Jitter > 0 ? Logits(Jittered(input)) : null; // [tokens, experts]
        var probabilities = (jittered ?? logits).softmax(-1); // [tokens, experts]
        var (chosen, experts) = TopK(probabilities, 1); // both [tokens, 1]
        return RoutingDecision.TopK(input, logits, probabilities, experts, chosen) with { NoisyLogits = jittered };
    }

    private Tensor Jittered(RouterInput input)
    {
        var hidden = input.Hidden;
        var uniform = Noise.Uniform(hidden.shape, hidden.device, input.Generator); // [batch, sequence, hidden]
        return hidden * (1 - Jitter + 2 * Jitter * uniform).to(hidden.dtype);
    }
}
