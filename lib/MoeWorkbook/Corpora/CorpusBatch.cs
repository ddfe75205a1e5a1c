using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Windows of a corpus, all 64-bit integers <c>[batch, sequence]</c> on the CPU.</summary>
/// <param name="Tokens">What the model reads.</param>
/// <param name="Targets">The token after each.</param>
/// <param name="Domains">The domain of each token that is read.</param>
/// <param name="TargetDomains">The domain of each target.</param>
public sealed record CorpusBatch(Tensor Tokens, Tensor Targets, Tensor Domains, Tensor TargetDomains) : IDisposable
{
    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Tokens.Dispose();
        Targets.Dispose();
        Domains.Dispose();
        TargetDomains.Dispose();
    }
}
