namespace MoeWorkbook;

/// <summary>What a computation waits for.</summary>
public enum RooflineBound
{
    /// <summary>Bytes from memory.</summary>
    Bandwidth,

    /// <summary>Multiplications and additions.</summary>
    Compute,

    /// <summary>The overhead of calls: the computation is too small for this machine to matter.</summary>
    Calls,
}
