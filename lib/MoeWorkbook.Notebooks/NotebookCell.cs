using System.Text.Json.Nodes;

namespace MoeWorkbook.Notebooks;

/// <summary>One cell of a notebook, with its outputs if it is a code cell.</summary>
public sealed class NotebookCell
{
    private readonly JsonObject _json;

    internal NotebookCell(JsonObject json) => _json = json;

    /// <summary>Code, Markdown or raw text.</summary>
    public CellKind Kind => _json["cell_type"]!.GetValue<string>() switch
    {
        "code" => CellKind.Code,
        "markdown" => CellKind.Markdown,
        _ => CellKind.Raw,
    };

    /// <summary>The cell's id, unique in its notebook; empty where it has none yet.</summary>
    public string Id => _json["id"]?.GetValue<string>() ?? "";

    /// <summary>The cell's text, lines separated by LF.</summary>
    public string Source => Text(_json["source"]).ReplaceLineEndings("\n");

    /// <summary>The cell's metadata.</summary>
    public JsonObject Metadata => _json["metadata"]!.AsObject();

    /// <summary>The cell's tags, <c>solution</c> and <c>hide-input</c> among them.</summary>
    public IEnumerable<string> Tags => Metadata["tags"]?.AsArray().Select(tag => tag!.GetValue<string>()) ?? [];

    /// <summary>The language of a code cell, as the kernel names it: <c>csharp</c> unless the metadata says otherwise (as VS Code's polyglot notebooks
    /// do).</summary>
    internal string Language =>
        ((Metadata["polyglot_notebook"] as JsonObject)?["kernelName"] ?? (Metadata["dotnet_interactive"] as JsonObject)?["language"])
            is JsonValue value && value.TryGetValue(out string? name) ? name : "csharp";

    /// <summary>The number of this code cell in the last run; null before it has run.</summary>
    public int? ExecutionCount
    {
        get => _json["execution_count"]?.GetValue<int>();
        internal set => _json["execution_count"] = value;
    }

    /// <summary>The outputs as nbformat objects (<c>stream</c>, <c>display_data</c>, <c>execute_result</c>, <c>error</c>).</summary>
    public IEnumerable<JsonObject> Outputs => _json["outputs"]?.AsArray().Select(output => output!.AsObject()) ?? [];

    /// <summary>Everything the cell put out, as text in order: console lines, the plain form of values, error messages.</summary>
    public string OutputText => string.Concat(Outputs.Select(output => output["output_type"]!.GetValue<string>() switch
    {
        "stream" => Text(output["text"]),
        "error" => $"{output["ename"]}: {output["evalue"]}\n",
        _ => Data(output, "text/plain") is { } plain ? plain.EndsWith('\n') ? plain : plain + "\n" : "",
    }));

    /// <summary>The outputs' HTML forms in order, one string for each output that has one.</summary>
    public IEnumerable<string> OutputHtml => Outputs.Select(output => Data(output, "text/html")).OfType<string>();

    /// <summary>A Markdown cell's images by name, each by its MIME type, or null.</summary>
    internal JsonObject? Attachments => _json["attachments"] as JsonObject;

    /// <summary>The form of an output of the given MIME type, or null.</summary>
    internal static string? Data(JsonObject output, string mimeType) =>
        output["data"]?[mimeType] is { } data ? Text(data) : null;

    internal static string Text(JsonNode? text) =>
        text is JsonArray lines ? string.Concat(lines.Select(line => line!.GetValue<string>())) : text?.GetValue<string>() ?? "";

    internal static string Name(CellKind kind) => kind switch
    {
        CellKind.Code => "code",
        CellKind.Markdown => "markdown",
        _ => "raw",
    };

    internal void ClearOutputs()
    {
        _json["execution_count"] = null;
        _json["outputs"] = new JsonArray();
    }

    internal void AddOutput(JsonObject output) => _json["outputs"]!.AsArray().Add((JsonNode)output);

    /// <summary>Adds console text; text that follows text of the same stream continues it.</summary>
    internal void AddStream(string name, string text)
    {
        if (Outputs.LastOrDefault() is { } last && last["output_type"]!.GetValue<string>() == "stream" && last["name"]!.GetValue<string>() == name)
            last["text"]!.AsArray().Add(text);
        else
            AddOutput(new JsonObject { ["name"] = name, ["output_type"] = "stream", ["text"] = new JsonArray(text) });
    }

    /// <summary>Brings the texts that nbformat calls multi-line into the form in which they are written: lists of lines.</summary>
    internal void SplitIntoLines()
    {
        _json["source"] = Lines(Source);
        foreach (var output in Outputs)
        {
            if (output["text"] is { } text)
                output["text"] = Lines(Text(text));
            if (output["data"] is JsonObject data)
                foreach ((var mime, var form) in data.ToList())
                    if (mime.StartsWith("text/", StringComparison.Ordinal) || mime == "image/svg+xml")
                        data[mime] = Lines(Text(form));
        }
    }

    /// <summary>The text's lines, each with its line end.</summary>
    private static JsonArray Lines(string text)
    {
        var lines = new JsonArray();
        var start = 0;
        for (int end; (end = text.IndexOf('\n', start)) >= 0; start = end + 1)
            lines.Add((JsonNode)text[start..(end + 1)]);
        if (start < text.Length)
            lines.Add((JsonNode)text[start..]);
        return lines;
    }
}
