using System.Reflection;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;
using GenericChart = Plotly.NET.GenericChart;

namespace MoeWorkbook;

/// <summary>Tells a .NET Interactive kernel how charts and tensors look: types of other packages, which cannot carry our attribute.</summary>
internal static class KernelFormatters
{
    private const string FormattingAssembly = "Microsoft.DotNet.Interactive.Formatting";

    // Runs before the first use of anything in this assembly, so that a notebook's first cell needs no call. (#r and using
    // alone do not run it: what Plotly.NET or TorchSharp return before that shows itself as a plain value.)
#pragma warning disable CA2255 // Module initializers are for applications, and a notebook is one.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register()
    {
        // Looked up and never loaded: without the kernel's assembly nobody would ask for a formatter.
        var kernel = AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(assembly => assembly.GetName().Name == FormattingAssembly);
        if (kernel?.GetType(FormattingAssembly + ".Formatter") is { } formatter)
            Register(formatter);
    }

    /// <summary>Registers our formatters for foreign types.</summary>
    /// <param name="formatter">The kernel's <c>Formatter</c>. What it lacks in another version is left out: values then show themselves plainly.</param>
    // A method of its own, so that programs without a kernel do not load those packages for it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Register(Type formatter)
    {
        foreach (var type in (Type[])[typeof(GenericChart), typeof(Tensor)])
        {
            Add(type, NotebookDisplay.ToHtml, "text/html");
            Add(type, NotebookDisplay.ToPlainText, "text/plain");
            Call(formatter, "SetPreferredMimeTypesFor", [typeof(Type), typeof(string[])], [type, (string[])["text/html", "text/plain"]]);
        }

        void Add(Type type, Func<object, string?> text, string mimeType)
        {
            Action<object, TextWriter> write = (value, writer) => writer.Write(text(value));
            Call(formatter, "Register", [typeof(Type), typeof(Action<object, TextWriter>), typeof(string)], [type, write, mimeType]);
        }
    }

    private static void Call(Type formatter, string name, Type[] parameterTypes, object[] arguments)
    {
        try
        {
            var method = formatter.GetMethods(BindingFlags.Public | BindingFlags.Static).FirstOrDefault(candidate =>
                candidate.Name == name && !candidate.IsGenericMethod && Takes(candidate.GetParameters(), parameterTypes));
            method?.Invoke(null, [.. arguments, .. method.GetParameters().Skip(arguments.Length).Select(parameter => parameter.DefaultValue)]);
        }
        catch (Exception e) when (e is TargetInvocationException or ArgumentException or MemberAccessException or TypeLoadException or IOException)
        {
            // A formatter that cannot be registered must not stop the notebook.
        }
    }

    private static bool Takes(ParameterInfo[] parameters, Type[] types) =>
        parameters.Length >= types.Length
        && parameters.Zip(types).All(pair => pair.First.ParameterType == pair.Second)
        && parameters.Skip(types.Length).All(parameter => parameter.IsOptional);
}
