using System.Text.Json.Nodes;
using MoeWorkbook.Notebooks;
using MoeWorkbook.Tests.Chapters;

namespace MoeWorkbook.Tests.Notebooks;

/// <summary>Chapters in a real Jupyter server, with the kernel specification that <c>workbook jupyter</c> installs.</summary>
public sealed class JupyterTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("jupyter-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("00-welcome.ipynb")]
    [InlineData("01-counting-parameters.ipynb")]
    [InlineData("03-top-k-routing.ipynb")]
    public async Task A_chapter_shows_in_Jupyter_what_it_shows_here(string chapter)
    {
        Needs.Jupyter();
        var notebooks = Path.Combine(Repository.Root, "notebooks");
        JupyterKernelSpec.Install(_data);
        IReadOnlyList<IReadOnlyList<JsonNode>> there;
        await using (var server = await JupyterServer.StartAsync(_data, notebooks))
            there = await server.ExecuteAsync(chapter, JupyterKernelSpec.Name);
        var here = await ChapterTests.Execute(chapter);
        Assert.Null(here.Failure?.ToString());
        NotebookCell[] cells = [.. here.Document.CodeCells];
        Assert.Equal(cells.Length, there.Count);
        for (var i = 0; i < cells.Length; i++)
        {
            // An exercise asks for fresh numbers each time.
            var varies = cells[i].Tags.Contains("exercise");
            Assert.Equal(Described(i, cells[i].Outputs, varies), Described(i, there[i], varies));
        }
    }

    [Fact]
    public void The_kernel_specification_starts_the_pinned_tool_wherever_the_notebook_lies()
    {
        var file = JupyterKernelSpec.Install(_data);
        Assert.Equal(Path.Combine(_data, "kernels", ".net-csharp", "kernel.json"), file);
        var specification = JsonNode.Parse(File.ReadAllText(file))!;
        string[] command = [.. specification["argv"]!.AsArray().Select(part => part!.GetValue<string>())];
        Assert.True(Path.IsPathFullyQualified(command[0]) && File.Exists(command[0]) && File.Exists(command[2]));
        Assert.Contains("--http-local-only", command);
        Assert.Equal("1", specification["env"]!["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"]!.GetValue<string>());
    }

    /// <summary>Every output's kind and forms, and its text unless that varies.</summary>
    /// <remarks>
    /// Console text that comes in pieces is one. Two things only Jupyter shows: the kernel's own first output, and a warning
    /// of the compiler about the version of System.Runtime.Numerics that TorchSharp asks for.
    /// </remarks>
    private static string Described(int cell, IEnumerable<JsonNode> outputs, bool varies)
    {
        var described = new List<string> { $"code cell {cell + 1}" };
        string? stream = null;
        foreach (var output in outputs)
        {
            var kind = output["output_type"]!.GetValue<string>();
            if (kind == "stream")
            {
                var name = output["name"]!.GetValue<string>();
                if (name == "stderr" && Text(output["text"]).Contains("warning CS1701", StringComparison.Ordinal))
                    continue;
                if (name != stream)
                    described.Add(name + ": ");
                described[^1] += Text(output["text"]);
                stream = name;
                continue;
            }
            if (output["data"] is JsonObject forms && Text(forms["text/html"]).Contains("dotnet-interactive-this-cell", StringComparison.Ordinal))
                continue;
            stream = null;
            described.Add(output["data"] is JsonObject data
                ? $"{kind} {string.Join(", ", data.Select(form => form.Key))}: {Text(data["text/plain"])}"
                : $"{kind}: {output["evalue"]}");
        }
        return string.Join('\n', described.Select(output => varies ? output.Split(": ")[0] : output));
    }

    private static string Text(JsonNode? text) =>
        text is JsonArray lines ? string.Concat(lines.Select(line => line!.GetValue<string>())) : text?.GetValue<string>() ?? "";
}
