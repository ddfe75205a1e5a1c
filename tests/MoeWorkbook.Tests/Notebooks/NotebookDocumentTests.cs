using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Notebooks;

public sealed class NotebookDocumentTests : IDisposable
{
    private readonly NotebookFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Written(string text)
    {
        var path = _folder.File("n.ipynb");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>As Jupyter writes it, down to the byte.</summary>
    private const string AsJupyterWritesIt = """
        {
         "cells": [
          {
           "attachments": {},
           "cell_type": "markdown",
           "id": "intro",
           "metadata": {
            "source": "not a text of ours",
            "unknown": {
             "a": [
              1,
              2.50,
              null
             ]
            }
           },
           "source": [
            "# Títle <b>\n",
            "text \"quoted\""
           ]
          },
          {
           "cell_type": "code",
           "execution_count": 1,
           "id": "c1",
           "metadata": {
            "tags": [
             "hide-input"
            ]
           },
           "outputs": [
            {
             "data": {
              "application/x": {
               "text": "kept as it is"
              },
              "text/plain": [
               "1"
              ]
             },
             "execution_count": 1,
             "metadata": {},
             "output_type": "execute_result"
            }
           ],
           "source": []
          }
         ],
         "metadata": {
          "kernelspec": {
           "display_name": ".NET (C#)",
           "language": "C#",
           "name": ".net-csharp"
          },
          "unknown": true
         },
         "nbformat": 4,
         "nbformat_minor": 5
        }

        """;

    [Fact]
    public void What_Jupyter_wrote_comes_back_byte_for_byte_unknown_metadata_included()
    {
        var path = Written(AsJupyterWritesIt.ReplaceLineEndings("\n"));
        var document = NotebookDocument.Read(path);
        Assert.Equal("Títle <b>", document.Title);
        Assert.Equal(["hide-input"], document.Cells[1].Tags);
        Assert.Equal("1\n", document.Cells[1].OutputText);
        document.Write(_folder.File("copy.ipynb"));
        Assert.Equal(File.ReadAllText(path), File.ReadAllText(_folder.File("copy.ipynb")));
        Assert.Equal(["copy.ipynb", "n.ipynb"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void An_older_notebook_gets_ids_and_keeps_the_rest()
    {
        var path = Written("""{"cells":[{"cell_type":"code","source":"1","metadata":{}, "id":"cell-2"},{"cell_type":"raw","source":["a\n","b"]}],"nbformat":4,"nbformat_minor":2}""");
        var document = NotebookDocument.Read(path);
        Assert.Equal(["cell-2", "cell-4"], document.Cells.Select(cell => cell.Id));
        Assert.Equal("a\nb", document.Cells[1].Source);
        Assert.Contains("\"nbformat_minor\": 5", document.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"cells\": [\n  {\"cell_type\": }\n]}", "n.ipynb, line 2, byte 17: not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "the file: an object expected, but it is array")]
    [InlineData("{}", "nbformat: a whole number expected, but it is missing")]
    [InlineData("{\"nbformat\": 3}", "version 3 cannot be read")]
    [InlineData("{\"nbformat\": 4}", "cells: a list expected, but it is missing")]
    [InlineData("{\"nbformat\": 4, \"nbformat\": 4, \"cells\": []}", "nbformat")]
    [InlineData("{\"nbformat\": 4, \"cells\": [1]}", "cells[0]: an object expected, but it is number")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"kode\"}]}", "cells[0].cell_type: 'kode' is none of code, markdown, raw")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": [\"a\", 2]}]}", "cells[0].source[1]: a string expected, but it is number")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"raw\", \"source\": \"\", \"id\": \"a\"}, {\"cell_type\": \"raw\", \"source\": \"\", \"id\": \"a\"}]}", "cells[1].id: 'a' is the id of an earlier cell")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"outputs\": [{\"output_type\": \"stream\", \"name\": \"stdout\"}]}]}", "cells[0].outputs[0].text")]
    [InlineData("{\"nbformat\": 4, \"cells\": [{\"cell_type\": \"code\", \"source\": \"\", \"metadata\": {\"tags\": \"solution\"}}]}", "cells[0].metadata.tags: a list expected")]
    public void What_is_no_notebook_is_refused_with_the_place(string text, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => NotebookDocument.Read(Written(text)));
        Assert.Contains("n.ipynb", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains("none.ipynb", Assert.Throws<FileNotFoundException>(() => NotebookDocument.Read(_folder.File("none.ipynb"))).Message, StringComparison.Ordinal);
}
