namespace MoeWorkbook.Tests;

/// <summary>Tests that count what the whole process allocates, or change what it shares, run alone.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
