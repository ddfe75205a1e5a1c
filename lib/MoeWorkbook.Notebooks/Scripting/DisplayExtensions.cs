using System.Text.Json.Nodes;

namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>What every cell can call without a <c>using</c>, as in .NET Interactive.</summary>
public static class DisplayExtensions
{
    internal static Action<JsonObject>? Displayed { get; set; }

    /// <summary>Shows a value below the cell, in the given MIME types or in those that its type prefers.</summary>
    public static DisplayedValue Display(this object? value, params string[] mimeTypes)
    {
        JsonObject bundle = MimeBundle.Of(value);
        foreach (string other in bundle.Select(form => form.Key).Where(_ => mimeTypes.Length > 0).Except(mimeTypes).ToList())
            if (bundle.Count > 1)
                bundle.Remove(other);
        Displayed?.Invoke(bundle);
        return new DisplayedValue();
    }

    /// <summary>Shows a text as content of the given MIME type, <c>text/html</c> or <c>image/svg+xml</c> say.</summary>
    public static DisplayedValue DisplayAs(this string value, string mimeType)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentException.ThrowIfNullOrWhiteSpace(mimeType);
        Displayed?.Invoke(new JsonObject { [mimeType] = value });
        return new DisplayedValue();
    }
}
