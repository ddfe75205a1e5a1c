using System.Net;
using System.Reflection;

namespace MoeWorkbook;

/// <summary>The source of a type as the library was built from it, to be read beside what it does.</summary>
/// <remarks>Only the steps of chapter 11 and the layer on one slide carry theirs.</remarks>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class SourceCode : INotebookDisplay
{
    private const string Prefix = "source/";
    private readonly string _text;

    private SourceCode(string text) => _text = text;

    /// <summary>The source of a method and of what follows it in its type, without documentation.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="method">The method's name.</param>
    /// <exception cref="ArgumentException">The library does not carry the type's source, or there is no such method in it.</exception>
    public static SourceCode Of<T>(string method)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        var assembly = typeof(SourceCode).Assembly;
        using var stream = assembly.GetManifestResourceStream($"{Prefix}{typeof(T).Name}.cs")
            ?? throw new ArgumentException($"The library does not carry the source of {typeof(T).Name}; it carries those of {Carried(assembly)}.");
        using var reader = new StreamReader(stream);
        string[] lines =
            [.. reader.ReadToEnd().ReplaceLineEndings("\n").TrimEnd().Split('\n').Where(line => !line.TrimStart().StartsWith("///", StringComparison.Ordinal))];
        var start = Array.FindIndex(lines, line => line.Contains($" {method}(", StringComparison.Ordinal) && line.TrimStart().StartsWith('p'));
        if (start < 0) throw new ArgumentException($"{typeof(T).Name} has no method {method}.", nameof(method));
        if (lines[start - 1].TrimStart().StartsWith('[')) start--; // its attribute
        // The last line closes the type.
        return new(string.Join('\n', lines[start..^1].Select(line => line.StartsWith("    ", StringComparison.Ordinal) ? line[4..] : line)));
    }

    /// <inheritdoc />
    public string ToHtml() => $"<pre style=\"overflow-x:auto;border-left:4px solid #8C8C8C;padding:.3em .8em;font-size:13px;line-height:1.4\"><code>{WebUtility.HtmlEncode(_text)}</code></pre>";

    /// <summary>The source.</summary>
    public override string ToString() => _text;

    private static string Carried(Assembly assembly) => string.Join(", ", assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Select(name => name[Prefix.Length..^3]).Order(StringComparer.Ordinal));
}
