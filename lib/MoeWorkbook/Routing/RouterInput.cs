using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What a router sees.</summary>
/// <param name="Hidden">Hidden states, <c>[batch, sequence, hidden]</c>.</param>
/// <param name="TokenIds">The ids of the tokens, <c>[batch, sequence]</c>; only hash routing needs them.</param>
/// <param name="Generator">The source of training-time randomness, a generator of the CPU whatever the device; null for TorchSharp's global one.</param>
public sealed record RouterInput(Tensor Hidden, Tensor? TokenIds = null, Generator? Generator = null);
