using System.Collections;

namespace MoeWorkbook.Tests.Figures;

public class DisplayTests
{
    private static readonly Table table = new([MoeWorkbook.Column.Text("part"), new("total", "GB")], [["a & b", "1.5"], ["experts", "100.0"]], "Most is in experts.");

    [Fact]
    public void A_terminal_table_aligns_numbers_to_the_right() => Assert.Equal(
        """
        part     total (GB)
        -------  ----------
        a & b           1.5
        experts       100.0
        Most is in experts.
        """, table.ToString(), ignoreLineEndingDifferences: true);

    [Fact]
    public void An_html_table_escapes_and_aligns()
    {
        Assert.Contains("a &amp; b", table.ToHtml());
        Assert.Contains("text-align:right", table.ToHtml());
        Assert.Contains("tabular-nums", table.ToHtml());
    }

    [Fact]
    public void A_row_of_another_length_is_refused() =>
        Assert.Contains("row 0 has 2 texts for 1 columns", Assert.Throws<ArgumentException>(() => new Table([new("a")], [["1", "2"]])).Message);

    public static TheoryData<object> Displays => [table, Schematics.TokenPath(), MoeWorkbook.Figures.Lines([("a", [(1, 1)])], "t", "c", "x", "y")];

    // As .NET Interactive does it: by names alone.
    [Theory]
    [MemberData(nameof(Displays))]
    public void A_kernel_finds_html_and_plain_text_by_convention(object value)
    {
        var attribute = value.GetType().GetCustomAttributes(inherit: true).Single(a => a.GetType().Name == "TypeFormatterSourceAttribute");
        Assert.Equal(["text/html", "text/plain"], (string[]?)attribute.GetType().GetProperty("PreferredMimeTypes")!.GetValue(attribute));
        var sourceType = (Type)attribute.GetType().GetProperty("FormatterSourceType")!.GetValue(attribute)!;
        var formatters = (IEnumerable)sourceType.GetMethod("CreateTypeFormatters")!.Invoke(Activator.CreateInstance(sourceType), [])!;
        var texts = new Dictionary<string, string>();
        foreach (object formatter in formatters)
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
    public void Charts_are_registered_with_a_kernels_formatter()
    {
        FakeKernelFormatter.Registered.Clear();
        KernelFormatters.Register(typeof(FakeKernelFormatter));
        Assert.Contains((typeof(Plotly.NET.GenericChart), "text/html"), FakeKernelFormatter.Registered);
    }

    [Fact]
    public void A_kernel_with_another_formatter_does_no_harm()
    {
        KernelFormatters.Register(typeof(string));
        KernelFormatters.Register(typeof(FailingKernelFormatter));
    }

    public static class FakeKernelFormatter
    {
        public static List<(Type Type, string MimeType)> Registered { get; } = [];

        public static void Register<T>(Func<T, string> formatter, string mimeType = "text/plain") => throw new InvalidOperationException($"{formatter} {mimeType}");

        public static void Register(Type type, Action<object, TextWriter> formatter, string mimeType = "text/plain", bool addToDefaults = false)
        {
            Assert.NotNull(formatter);
            Assert.False(addToDefaults);
            Registered.Add((type, mimeType));
        }
    }

    public static class FailingKernelFormatter
    {
        public static void Register(Type type, Action<object, TextWriter> formatter, string mimeType) => throw new InvalidOperationException($"{type} {formatter} {mimeType}");
    }
}
