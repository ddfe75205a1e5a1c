using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting;
using Plotly.NET.Interactive;
using static TorchSharp.torch;
using GenericChart = Plotly.NET.GenericChart;

namespace MoeWorkbook;

/// <summary>How values show themselves in a notebook: the library's own, and those of TorchSharp and Plotly.NET, which cannot carry our attribute.</summary>
public static class NotebookDisplay
{
    /// <summary>Tells the notebook's kernel how charts and tensors look, and shows the <see cref="FigureScript"/>, which draws the figures. Every notebook's
    /// first cell calls it; without a .NET Interactive kernel it does nothing.</summary>
    public static void Register()
    {
        // Looked up and never loaded: without the kernel's assembly nobody would ask for a formatter.
        if (AppDomain.CurrentDomain.GetAssemblies().Any(assembly => assembly.GetName().Name == "Microsoft.DotNet.Interactive"))
            RegisterWithKernel();
    }

    /// <summary>The HTML form of a value; null when it has none of ours.</summary>
    /// <param name="value">Any value of a cell.</param>
    public static string? ToHtml(object value) => value switch
    {
        INotebookDisplay display => display.ToHtml(),
        GenericChart chart => new Figure(chart, "", "").ToHtml(),
        Tensor tensor => $"<pre style=\"margin:0.4em 0\">{WebUtility.HtmlEncode(TensorText.Of(tensor))}</pre>",
        _ => null,
    };

    /// <summary>The plain text of a value; null when it has none of ours.</summary>
    /// <param name="value">Any value of a cell.</param>
    public static string? ToPlainText(object value) => value switch
    {
        INotebookDisplay display => display.ToString(),
        GenericChart chart => new Figure(chart, "chart", "").ToString(),
        Tensor tensor => TensorText.Of(tensor),
        _ => null,
    };

    // A method of its own, so that a program without a kernel does not look for the kernel's assemblies.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RegisterWithKernel()
    {
        // Plotly.NET's own extension first. Its charts ask two CDNs for their scripts, so ours, registered later, win.
        ((IKernelExtension)new FormatterKernelExtension()).OnLoadAsync(Kernel.Root).GetAwaiter().GetResult();
        foreach (var type in (Type[])[typeof(GenericChart), typeof(Tensor)])
        {
            Formatter.Register(type, (value, writer) => writer.Write(ToHtml(value)), HtmlFormatter.MimeType);
            Formatter.Register(type, (value, writer) => writer.Write(ToPlainText(value)), PlainTextFormatter.MimeType);
            Formatter.SetPreferredMimeTypesFor(type, HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
        }

        FigureScript.Current.Display();
    }
}
