using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Notebooks;

/// <summary>A Jupyter notebook (.ipynb, nbformat 4). What this class does not know is kept as it was read.</summary>
/// <remarks>
/// Written as Jupyter and VS Code write it: keys sorted, one space of indentation, text as lists of lines, LF;
/// so a notebook that has been through any of them differs only where its content does.
/// </remarks>
public sealed class NotebookDocument
{
    private static readonly string[] _cellKinds = ["code", "markdown", "raw"];
    private static readonly string[] _outputKinds = ["stream", "display_data", "execute_result", "error"];

    private readonly JsonObject _root;
    private readonly List<NotebookCell> _cells = [];

    private NotebookDocument(JsonObject root)
    {
        _root = root;
        foreach (var cell in root["cells"]!.AsArray())
            _cells.Add(new NotebookCell(cell!.AsObject()));
    }

    /// <summary>An empty C# notebook.</summary>
    public NotebookDocument()
        : this(new JsonObject { ["cells"] = new JsonArray(), ["metadata"] = new JsonObject(), ["nbformat"] = 4, ["nbformat_minor"] = 5 })
    {
        DescribeKernel();
    }

    /// <summary>The cells in their order.</summary>
    public IReadOnlyList<NotebookCell> Cells => _cells;

    /// <summary>The code cells in their order; the n-th has the execution count n after a run.</summary>
    public IEnumerable<NotebookCell> CodeCells => _cells.Where(cell => cell.Kind == CellKind.Code);

    /// <summary>The notebook's metadata.</summary>
    public JsonObject Metadata => _root["metadata"]!.AsObject();

    /// <summary>The text of the first heading of level one, or null.</summary>
    public string? Title => _cells
        .Where(cell => cell.Kind == CellKind.Markdown)
        .SelectMany(cell => cell.Source.Split('\n'))
        .FirstOrDefault(line => line.StartsWith("# ", StringComparison.Ordinal))?[2..].Trim();

    /// <summary>Adds a cell at the end.</summary>
    public NotebookCell Add(CellKind kind, string source, params string[] tags)
    {
        var metadata = new JsonObject();
        if (tags.Length > 0)
            metadata["tags"] = new JsonArray([.. tags.Select(tag => JsonValue.Create(tag))]);
        var json = new JsonObject
        {
            ["cell_type"] = NotebookCell.Name(kind),
            ["id"] = FreshId(_cells.Count + 1),
            ["metadata"] = metadata,
            ["source"] = source,
        };
        if (kind == CellKind.Code)
        {
            json["execution_count"] = null;
            json["outputs"] = new JsonArray();
        }
        _root["cells"]!.AsArray().Add((JsonNode)json);
        var cell = new NotebookCell(json);
        _cells.Add(cell);
        return cell;
    }

    /// <summary>Reads a notebook of nbformat 4 (4.0 to 4.4 become 4.5).</summary>
    /// <exception cref="InvalidDataException">It is no notebook; the message names the file and the place.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static NotebookDocument Read(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no notebook '{path}'.", path);
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 256 };
            return FromJson(JsonNode.Parse(File.ReadAllText(path), documentOptions: options));
        }
        catch (JsonException e) when (e.LineNumber is not null)
        {
            throw new InvalidDataException($"{path}, line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: not valid JSON: {FirstSentence(e)}", e);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: not valid JSON: {FirstSentence(e)}", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }

        static string FirstSentence(JsonException e) => e.Message.Split(" Path:")[0].Split(" LineNumber:")[0];
    }

    /// <summary>Writes the notebook: a temporary file first, then renamed.</summary>
    public void Write(string path) => WholeFile.Write(path, ToString());

    /// <summary>The notebook as JSON, as it is written.</summary>
    public override string ToString()
    {
        foreach (var cell in _cells)
            cell.SplitIntoLines();
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions
        {
            Indented = true,
            IndentSize = 1,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            MaxDepth = 256,
        };
        using (var writer = new Utf8JsonWriter(buffer, options))
            WriteSorted(writer, _root);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    /// <summary>Says in the metadata that this is a C# notebook, where nothing says so yet.</summary>
    internal void DescribeKernel()
    {
        if (Metadata["kernelspec"] is not JsonObject)
            Metadata["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" };
        if (Metadata["language_info"] is not JsonObject)
            Metadata["language_info"] = new JsonObject
            {
                ["file_extension"] = ".cs",
                ["mimetype"] = "text/x-csharp",
                ["name"] = "C#",
                ["pygments_lexer"] = "csharp",
            };
    }

    private static NotebookDocument FromJson(JsonNode? json)
    {
        var root = Object(json, "the file");
        if (Integer(root["nbformat"], "nbformat") is var major and not 4)
            throw new InvalidDataException($"nbformat: version {major} cannot be read; 4 can (save the notebook with a current Jupyter or VS Code).");
        // A later minor version may hold what is unknown here; it is kept, and so is its number.
        root["nbformat_minor"] = Math.Max(5, Integer(root["nbformat_minor"] ?? 0, "nbformat_minor"));
        root["metadata"] ??= new JsonObject();
        Object(root["metadata"], "metadata");

        var ids = new HashSet<string>();
        var cells = Array(root["cells"], "cells");
        for (var i = 0; i < cells.Count; i++)
        {
            var place = $"cells[{i}]";
            var cell = Object(cells[i], place);
            var kind = OneOf(cell["cell_type"], _cellKinds, $"{place}.cell_type");
            CheckText(cell["source"], $"{place}.source");
            cell["metadata"] ??= new JsonObject();
            var metadata = Object(cell["metadata"], $"{place}.metadata");
            if (metadata["tags"] is { } tags)
                CheckText(Array(tags, $"{place}.metadata.tags"), $"{place}.metadata.tags");
            if (cell["id"] is { } id)
            {
                var text = String(id, $"{place}.id");
                if (!ids.Add(text))
                    throw new InvalidDataException($"{place}.id: '{text}' is the id of an earlier cell too.");
            }
            if (kind == "code")
                CheckOutputs(cell, place);
        }

        var document = new NotebookDocument(root);
        for (var i = 0; i < cells.Count; i++)
            cells[i]!.AsObject()["id"] ??= document.FreshId(i + 1);
        return document;
    }

    private static void CheckOutputs(JsonObject cell, string place)
    {
        cell["outputs"] ??= new JsonArray();
        var outputs = Array(cell["outputs"], $"{place}.outputs");
        for (var i = 0; i < outputs.Count; i++)
        {
            var at = $"{place}.outputs[{i}]";
            var output = Object(outputs[i], at);
            switch (OneOf(output["output_type"], _outputKinds, $"{at}.output_type"))
            {
                case "stream":
                    String(output["name"], $"{at}.name");
                    CheckText(output["text"], $"{at}.text");
                    break;
                case "error":
                    String(output["ename"], $"{at}.ename");
                    String(output["evalue"], $"{at}.evalue");
                    CheckText(Array(output["traceback"], $"{at}.traceback"), $"{at}.traceback");
                    break;
                default:
                    foreach ((var mime, var data) in Object(output["data"], $"{at}.data"))
                        if (mime.StartsWith("text/", StringComparison.Ordinal))
                            CheckText(data, $"{at}.data['{mime}']");
                    break;
            }
        }
    }

    private string FreshId(int number)
    {
        while (_cells.Any(cell => cell.Id == $"cell-{number}"))
            number += _cells.Count;
        return $"cell-{number}";
    }

    private static JsonObject Object(JsonNode? node, string place) => node as JsonObject ?? Unexpected<JsonObject>("an object", node, place);

    private static JsonArray Array(JsonNode? node, string place) => node as JsonArray ?? Unexpected<JsonArray>("a list", node, place);

    private static string String(JsonNode? node, string place) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : Unexpected<string>("a string", node, place);

    private static int Integer(JsonNode? node, string place) =>
        node is JsonValue value && value.TryGetValue(out int number) ? number : Unexpected<int>("a whole number", node, place);

    private static string OneOf(JsonNode? node, string[] allowed, string place)
    {
        var text = String(node, place);
        return allowed.Contains(text) ? text : throw new InvalidDataException($"{place}: '{text}' is none of {string.Join(", ", allowed)}.");
    }

    private static void CheckText(JsonNode? node, string place)
    {
        if (node is JsonArray lines)
            for (var i = 0; i < lines.Count; i++)
                String(lines[i], $"{place}[{i}]");
        else if (node?.GetValueKind() != JsonValueKind.String)
            Unexpected<string>("a string or a list of strings", node, place);
    }

    [DoesNotReturn]
    private static T Unexpected<T>(string expected, JsonNode? node, string place) =>
        throw new InvalidDataException($"{place}: {expected} expected, but it is {node?.GetValueKind().ToString().ToLowerInvariant() ?? "missing"}.");

    private static void WriteSorted(Utf8JsonWriter writer, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject properties:
                writer.WriteStartObject();
                foreach ((var name, var value) in properties.OrderBy(property => property.Key, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(name);
                    WriteSorted(writer, value);
                }
                writer.WriteEndObject();
                break;
            case JsonArray items:
                writer.WriteStartArray();
                foreach (var item in items)
                    WriteSorted(writer, item);
                writer.WriteEndArray();
                break;
            case null:
                writer.WriteNullValue();
                break;
            default:
                node.WriteTo(writer);
                break;
        }
    }
}
