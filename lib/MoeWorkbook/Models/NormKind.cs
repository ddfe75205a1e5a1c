namespace MoeWorkbook;

/// <summary>The normalisation used throughout a model.</summary>
public enum NormKind
{
    /// <summary>Root-mean-square norm (Zhang &amp; Sennrich 2019).</summary>
    Rms,

    /// <summary>Layer norm (Ba et al. 2016).</summary>
    Layer,
}
