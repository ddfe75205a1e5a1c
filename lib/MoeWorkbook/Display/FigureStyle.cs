using Color = Plotly.NET.Color;

namespace MoeWorkbook;

/// <summary>How every figure looks: the palette of Okabe and Ito, which colour-blind readers can tell apart, on white.</summary>
public static class FigureStyle
{
    /// <summary>Blue: the first series.</summary>
    public const string Blue = "#0072B2";

    /// <summary>Vermilion: the second series.</summary>
    public const string Vermilion = "#D55E00";

    /// <summary>Bluish green.</summary>
    public const string Green = "#009E73";

    /// <summary>Orange.</summary>
    public const string Orange = "#E69F00";

    /// <summary>Sky blue.</summary>
    public const string SkyBlue = "#56B4E9";

    /// <summary>Reddish purple.</summary>
    public const string Purple = "#CC79A7";

    /// <summary>Black: what is small and must be seen, such as a router.</summary>
    public const string Black = "#000000";

    /// <summary>Grey: what stands behind the data, such as a reference line.</summary>
    public const string Grey = "#8C8C8C";

    /// <summary>Text and axes.</summary>
    public const string Ink = "#24292F";

    /// <summary>From small to large, bright for large as in Viridis, and light enough throughout to read plotly.js's dark grey numbers on it.</summary>
    internal static object[][] LightScale { get; } = [[0, "#8FB8DB"], [0.5, "#98D8BC"], [1, "#FDE725"]];

    /// <summary>From negative to positive, white at zero, as light as <see cref="LightScale"/>.</summary>
    internal static object[][] LightDivergingScale { get; } = [[0, "#7CC4EE"], [0.5, "#FFFFFF"], [1, "#F0B53A"]];

    internal static object Marker { get; } = new { size = 9 };

    internal static object Line { get; } = new { width = 2.5 };

    internal const string FontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

    /// <summary>The palette in the order in which series take it.</summary>
    public static IReadOnlyList<string> Palette { get; } = [Blue, Vermilion, Green, Orange, SkyBlue, Purple, Grey, "#F0E442"];

    /// <summary>A colour of the palette as Plotly.NET takes it.</summary>
    /// <param name="hex">For example <see cref="Blue"/>.</param>
    public static Color ToColor(string hex) => Color.fromHex(hex);

    /// <summary>Our plotly.js template.</summary>
    /// <param name="grid">Whether the figure is a grid of charts, whose titles need room below the legend.</param>
    internal static object Template(bool grid)
    {
        var axis = new
        {
            automargin = true,
            showline = true,
            linecolor = "#6E7781",
            gridcolor = "#E6E8EB",
            zeroline = false,
            ticks = "outside",
            tickcolor = "#6E7781",
            ticklen = 5,
            title = new { standoff = 12, font = new { size = 14 } },
            exponentformat = "SI",
        };
        return new
        {
            layout = new
            {
                autosize = true,
                paper_bgcolor = "white",
                plot_bgcolor = "white",
                colorway = Palette,
                font = new { family = FontFamily, size = 14, color = Ink },
                margin = new { l = 70, r = 24, t = grid ? 36 : 16, b = 60 },
                legend = new { orientation = "h", x = 0, y = grid ? 1.08 : 1.02, xanchor = "left", yanchor = "bottom", traceorder = "normal" },
                hoverlabel = new { font = new { family = FontFamily, size = 13 }, align = "left" },
                hovermode = "closest",
                bargap = 0.25,
                xaxis = axis,
                yaxis = axis,
            },
            data = new
            {
                scatter = new[] { new { marker = Marker, line = Line } },
                heatmap = new[] { new { colorscale = "Viridis", colorbar = ColorBar(null) } },
            },
        };
    }

    /// <summary>The bar that explains the colours of a heat map.</summary>
    /// <param name="quantity">What they mean; null for no title.</param>
    internal static object ColorBar(string? quantity) =>
        new { title = new { text = quantity, side = "right", font = new { size = 13 } }, outlinewidth = 0, thickness = 16 };
}
