namespace MoeWorkbook.Notebooks;

/// <summary>What a site is made of.</summary>
public sealed record SiteOptions
{
    /// <summary>The folder that takes the pages, the executed notebooks and <c>assets/</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>The notebooks' root: <c>ROOT/solutions/01.ipynb</c> becomes <c>FOLDER/solutions/01.html</c>.</summary>
    public required string Root { get; init; }

    /// <summary>The folder in which npm installs the scripts, once: <c>artifacts/npm</c>.</summary>
    public required string NpmFolder { get; init; }

    /// <summary>The npm command.</summary>
    public string Npm { get; init; } = "npm";

    /// <summary>The site's name, in every page's head and on the first page.</summary>
    public string Title { get; init; } = "MoE Workbook";

    /// <summary>A sentence for the first page.</summary>
    public string Subtitle { get; init; } = "Why a Mixture-of-Experts model with far more parameters can still run faster, and what that costs.";

    /// <summary>The language of the pages' text (BCP 47).</summary>
    public string Language { get; init; } = "en";

    /// <summary>The version of the plotly.js-dist-min package: the one that the figures are written for.</summary>
    public string PlotlyVersion { get; init; } = "2.27.1";

    /// <summary>The version of the katex package, which sets formulas.</summary>
    public string KatexVersion { get; init; } = "0.16.22";
}
