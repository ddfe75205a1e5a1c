namespace MoeWorkbook.Notebooks;

/// <summary>What a site is made of.</summary>
public sealed record SiteOptions
{
    /// <summary>The folder that takes the pages, the executed notebooks and <c>assets/</c>.</summary>
    public required string Folder { get; init; }

    /// <summary>The notebooks' root: <c>ROOT/solutions/01.ipynb</c> becomes <c>FOLDER/solutions/01.html</c>.</summary>
    public required string Root { get; init; }

    /// <summary>The folder in which npm installs katex, once: <c>artifacts/npm</c>.</summary>
    public required string NpmFolder { get; init; }

    /// <summary>The npm command.</summary>
    public string Npm { get; init; } = "npm";

    /// <summary>The site's name, in every page's head and on the first page.</summary>
    public string Title { get; init; } = "MoE Workbook";

    /// <summary>A sentence for the first page.</summary>
    public string Subtitle { get; init; } = "Why a Mixture-of-Experts model with far more parameters can still run faster, and what that costs.";

    /// <summary>The language of the pages' text (BCP 47).</summary>
    public string Language { get; init; } = "en";

    /// <summary>The script that draws the figures, each an element with a <c>data-figure</c> attribute. Pages with figures load it from
    /// <c>assets/figures.js</c>, in place of the output that brings it to a notebook (an element with <c>data-figure-script</c>).</summary>
    public required string FigureScript { get; init; }

    /// <summary>The version of the katex package, which sets formulas.</summary>
    public string KatexVersion { get; init; } = "0.16.22";
}
