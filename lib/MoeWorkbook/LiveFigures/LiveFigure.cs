using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MoeWorkbook;

/// <summary>A figure that answers: the reader types, drags and steps, and it computes in the page. It is one piece of HTML that asks no network and needs no
/// other script; where scripts do not run it is a drawing of its first state.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class LiveFigure : INotebookDisplay
{
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _name;
    private readonly object _data;
    private readonly string[] _scripts;

    /// <summary>A figure of a script of its own.</summary>
    /// <param name="name">The script, without its ending; it starts the figures of this name.</param>
    /// <param name="title">What is shown, in a few words.</param>
    /// <param name="caption">What to do and to see.</param>
    /// <param name="stills">Its states as drawings, the first one first; at least one.</param>
    /// <param name="data">What the script gets, as JSON.</param>
    /// <param name="scripts">Scripts before its own.</param>
    internal LiveFigure(string name, string title, string caption, IReadOnlyList<Svg> stills, object data, params string[] scripts)
    {
        (_name, Title, Caption, Stills, _data) = (name, title, caption, stills, data);
        _scripts = ["core", .. scripts, name];
    }

    /// <summary>What is shown, in a few words.</summary>
    public string Title { get; }

    /// <summary>What to do and to see.</summary>
    public string Caption { get; }

    /// <summary>Its states as drawings, for slides; the first stands where scripts do not run.</summary>
    public IReadOnlyList<Svg> Stills { get; }

    /// <summary>The figure as a piece of an HTML page.</summary>
    public string ToHtml()
    {
        // Inside a script element no "<" of the data may stand: "</script>" would end it.
        var data = JsonSerializer.Serialize(_data, _json).Replace("<", "\\u003c", StringComparison.Ordinal);
        var colours = string.Concat(FigureStyle.Palette.Select((colour, i) => $"--colour-{i}:{colour};"));
        return $$"""
            <figure class="live-figure" data-live="{{_name}}" style="{{colours}}">
            <style>{{Resource("live.css")}}</style>
            <div class="title">{{WebUtility.HtmlEncode(Title)}}</div>
            <div data-place=""><div role="img" aria-label="{{WebUtility.HtmlEncode(Stills[0].Caption)}}">{{Stills[0].Markup}}</div>
            <p class="quiet">{{WebUtility.HtmlEncode(Stills[0].Caption)}} The figure stands still here; it answers where scripts run: in the chapter's page and in a notebook that is run.</p></div>
            <figcaption>{{WebUtility.HtmlEncode(Caption)}}</figcaption>
            <script type="application/json">{{data}}</script>
            <script>(function () {
            {{string.Join('\n', _scripts.Select(script => Resource($"{script}.js")))}}
            })();</script>
            </figure>
            """;
    }

    /// <summary>Title and caption, for readers of text.</summary>
    public override string ToString() => $"Live figure: {Title}\n{Caption}";

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(LiveFigure).Assembly.GetManifestResourceStream($"live/{name}")!);
        return reader.ReadToEnd();
    }
}
