using System.IO.Compression;
using System.Reflection;
using System.Text;
using GenericChart = Plotly.NET.GenericChart;

namespace MoeWorkbook;

/// <summary>The script that draws every figure of a page or notebook: the plotly.js that Plotly.NET carries, and the few lines that call it. Nothing is loaded
/// from a network.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class FigureScript : INotebookDisplay
{
    private const string Prefix = "Plotly.NET.plotly-", Suffix = ".min.js";

    private static readonly string _plotly = typeof(GenericChart).Assembly.GetManifestResourceNames().Single(name =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal));

    private FigureScript()
    {
    }

    /// <summary>The script.</summary>
    public static FigureScript Current { get; } = new();

    /// <summary>The version of plotly.js.</summary>
    public static string PlotlyVersion => _plotly[Prefix.Length..^Suffix.Length];

    /// <summary>The script as JavaScript: what a page loads as one file.</summary>
    // Where require.js rules (the classic Notebook, VS Code), plotly.js would register with it instead of setting window.Plotly.
    public static string JavaScript { get; } =
        $"(function (define, module, exports, require) {{\n{Resource(typeof(GenericChart).Assembly, _plotly)}\n}}).call(window);\n{Resource(typeof(FigureScript).Assembly, "figures.js")}";

    /// <summary>The script as the one output of a notebook that brings it, compressed; shown again, it changes nothing.</summary>
    public string ToHtml() =>
        $$"""
        <p data-figure-script="" style="font-size:13px;opacity:.7">{{this}}</p>
        <script>
        window.figureScript = window.figureScript || new Response(new Blob([Uint8Array.from(atob("{{Compressed()}}"), function (c) { return c.charCodeAt(0); })])
          .stream().pipeThrough(new DecompressionStream("gzip"))).text().then(function (text) {
            var script = document.createElement("script");
            script.textContent = text;
            document.head.appendChild(script);
          });
        </script>
        """;

    /// <summary>What the output says.</summary>
    public override string ToString() => $"plotly.js {PlotlyVersion} draws the figures of this notebook.";

    private static string Compressed()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize))
            gzip.Write(Encoding.UTF8.GetBytes(JavaScript));
        return Convert.ToBase64String(bytes.ToArray());
    }

    private static string Resource(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
