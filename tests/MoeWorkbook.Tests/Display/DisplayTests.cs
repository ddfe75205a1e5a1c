using System.Collections;
using TorchSharp;

namespace MoeWorkbook.Tests.Display;

public sealed class DisplayTests
{
    private static readonly Table _table = new([MoeWorkbook.Column.Text("part"), new("total", "GB")], [["a & b", "1.5"], ["experts", "100.0"]], "Most is in experts.");

    [Fact]
    public void A_terminal_table_aligns_numbers_to_the_right() => Assert.Equal(
        """
        part     total (GB)
        -------  ----------
        a & b           1.5
        experts       100.0
        Most is in experts.
        """, _table.ToString(), ignoreLineEndingDifferences: true);

    [Fact]
    public void An_html_table_escapes_and_aligns()
    {
        Assert.Contains("a &amp; b", _table.ToHtml());
        Assert.Contains("text-align:right", _table.ToHtml());
        Assert.Contains("tabular-nums", _table.ToHtml());
    }

    [Fact]
    public void A_row_of_another_length_is_refused() =>
        Assert.Contains("row 0 has 2 texts for 1 columns", Assert.Throws<ArgumentException>(() => new Table([new("a")], [["1", "2"]])).Message);

    public static TheoryData<object> Displays => [_table, Schematics.TokenPath(), MoeWorkbook.Figures.Lines([("a", [(1, 1)])], "t", "c", "x", "y")];

    // As .NET Interactive does it: by names alone.
    [Theory]
    [MemberData(nameof(Displays))]
    public void A_kernel_finds_html_and_plain_text_by_convention(object value)
    {
        var attribute = value.GetType().GetCustomAttributes(inherit: true).Single(a => a.GetType().Name == "TypeFormatterSourceAttribute");
        Assert.Equal(["text/html", "text/plain"], (string[])attribute.GetType().GetProperty("PreferredMimeTypes")!.GetValue(attribute)!);
        var sourceType = (Type)attribute.GetType().GetProperty("FormatterSourceType")!.GetValue(attribute)!;
        var formatters = (IEnumerable)sourceType.GetMethod("CreateTypeFormatters")!.Invoke(Activator.CreateInstance(sourceType), [])!;
        var texts = new Dictionary<string, string>();
        foreach (var formatter in formatters)
        {
            var writer = new StringWriter();
            Assert.True((bool)formatter.GetType().GetMethod("Format")!.Invoke(formatter, [value, writer])!);
            texts[(string)formatter.GetType().GetProperty("MimeType")!.GetValue(formatter)!] = writer.ToString();
        }
        Assert.Equal(value.ToString(), texts["text/plain"]);
        Assert.StartsWith("<", texts["text/html"]);
    }

    [Fact]
    public void A_formatter_leaves_other_types_alone() => Assert.False(new DisplayFormatter("text/html", d => d.ToHtml()).Format("text", new StringWriter()));

    [Fact]
    public void A_tensor_shows_its_shape_type_device_and_values()
    {
        using var tensor = torch.tensor(new float[] { 1, -2.5f, 0, 1e-7f, 3, 20 }).reshape(2, 3);
        Assert.Equal("Float32 [2, 3] on cpu\n 1.0000  -2.5000   0.0000\n1.00e-7   3.0000  20.0000", NotebookDisplay.ToPlainText(tensor));
        Assert.StartsWith("<pre", NotebookDisplay.ToHtml(tensor));
    }

    [Fact]
    public void A_large_tensor_shows_a_corner()
    {
        using var tensor = torch.arange(3 * 40 * 50, dtype: torch.int64).reshape(3, 40, 50);
        var lines = NotebookDisplay.ToPlainText(tensor)!.Split('\n');
        Assert.Equal(["Int64 [3, 40, 50] on cpu", "[0, :, :] =", "  0    1    2    3    4    5    6    7    8    9  …"], lines[..3]);
        Assert.Equal("…", lines[^1]);
    }

    [Fact]
    public void A_tensor_without_values_shows_its_heading_only()
    {
        using var meta = torch.empty(2, 3, device: torch.META);
        using var none = torch.zeros(0, 3);
        using var one = torch.tensor(true);
        Assert.Equal("Float32 [2, 3] on meta", NotebookDisplay.ToPlainText(meta));
        Assert.Equal("Float32 [0, 3] on cpu", NotebookDisplay.ToPlainText(none));
        Assert.Equal("Bool [] on cpu\nTrue", NotebookDisplay.ToPlainText(one));
    }

    [Fact]
    public void A_program_without_a_kernel_may_call_the_first_cells_line_too()
    {
        NotebookDisplay.Register();
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name!.StartsWith("Microsoft.DotNet.Interactive", StringComparison.Ordinal));
    }
}
