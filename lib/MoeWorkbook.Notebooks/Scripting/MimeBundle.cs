using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>How a value shows itself: its forms by MIME type.</summary>
/// <remarks>
/// A type's own form comes first, found by the conventions that notebook kernels share (no reference needed either way):
/// an attribute named <c>TypeFormatterSourceAttribute</c>, then a public <c>string ToHtml()</c>, then what the library
/// registers for foreign types in <c>MoeWorkbook.NotebookDisplay.ToHtml(object)</c>. Otherwise plain text, and a table
/// for sequences, dictionaries and records.
/// </remarks>
internal static class MimeBundle
{
    private const string HtmlType = "text/html";
    private const string PlainType = "text/plain";
    private const int MostRows = 50;

    public static JsonObject Of(object? value)
    {
        if (value is null)
            return new JsonObject { [PlainType] = "<null>" };
        if (FromFormatterSource(value) is { Count: > 0 } forms)
        {
            if (!forms.ContainsKey(PlainType))
                forms[PlainType] = Text(value);
            return forms;
        }
        string? html = FromToHtml(value) ?? FromNotebookDisplay(value);
        if (html is null && !IsText(value))
            html = Table(value);
        else if (html is not null && !OverridesToString(value))
            return new JsonObject { [HtmlType] = html, [PlainType] = TypeName(value.GetType()) };
        var bundle = new JsonObject();
        if (html is not null)
            bundle[HtmlType] = html;
        bundle[PlainType] = Text(value);
        return bundle;
    }

    private static JsonObject? FromFormatterSource(object value)
    {
        Attribute? attribute = value.GetType().GetCustomAttributes(inherit: true).OfType<Attribute>()
            .FirstOrDefault(candidate => candidate.GetType().Name == "TypeFormatterSourceAttribute");
        if (Property(attribute, "FormatterSourceType") is not Type sourceType)
            return null;
        object source = Activator.CreateInstance(sourceType)!;
        if (sourceType.GetMethod("CreateTypeFormatters", Type.EmptyTypes)?.Invoke(source, null) is not IEnumerable formatters)
            return null;
        var preferred = Property(attribute, "PreferredMimeTypes") as string[];
        var forms = new JsonObject();
        foreach (object formatter in formatters)
        {
            if (Property(formatter, "MimeType") is not string mime || forms.ContainsKey(mime))
                continue;
            if (preferred is { Length: > 0 } && !preferred.Contains(mime))
                continue;
            MethodInfo? format = formatter.GetType().GetMethod("Format", [typeof(object), typeof(TextWriter)]);
            using var writer = new StringWriter(CultureInfo.InvariantCulture);
            if (format?.Invoke(formatter, [value, writer]) is true)
                forms[mime] = writer.ToString();
        }
        return forms;

        static object? Property(object? of, string name) => of?.GetType().GetProperty(name)?.GetValue(of);
    }

    private static string? FromToHtml(object value) =>
        value.GetType().GetMethod("ToHtml", BindingFlags.Public | BindingFlags.Instance, Type.EmptyTypes) is { } method && method.ReturnType == typeof(string)
            ? (string?)method.Invoke(value, null)
            : null;

    private static string? FromNotebookDisplay(object value) => AppDomain.CurrentDomain.GetAssemblies()
        .Where(assembly => !assembly.IsDynamic)
        .Select(assembly => assembly.GetType("MoeWorkbook.NotebookDisplay")?.GetMethod("ToHtml", BindingFlags.Public | BindingFlags.Static, [typeof(object)]))
        .FirstOrDefault(method => method is not null)
        ?.Invoke(null, [value]) as string;

    /// <summary>Whether a value is read as text alone: strings, numbers, dates, types, and what writes itself as text.</summary>
    private static bool IsText(object value) =>
        value is string or IFormattable or bool or char or Type or Delegate or Exception or Task or Enum
        || (value is not IEnumerable and not ITuple && !IsRecord(value) && OverridesToString(value) && !IsAnonymous(value.GetType()));

    /// <param name="value">Any value.</param>
    /// <param name="depth">How deep the value lies in the one that is shown; objects may refer to each other in circles.</param>
    private static string Text(object? value, int depth = 0) => value switch
    {
        null => "<null>",
        string text => text,
        Exception exception => $"{exception.GetType().Name}: {exception.Message}",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ when OverridesToString(value) => value.ToString() ?? "",
        _ when depth > 2 => TypeName(value.GetType()),
        IDictionary dictionary => Listed(dictionary.Keys.Cast<object>().Select(key => $"[{Text(key, depth + 1)}, {Text(dictionary[key], depth + 1)}]")),
        IEnumerable sequence => Listed(sequence.Cast<object?>().Select(item => Text(item, depth + 1))),
        _ when depth > 0 => TypeName(value.GetType()),
        _ => $"{TypeName(value.GetType())} {{ {string.Join(", ", Members(value.GetType()).Select(member => $"{member.Name} = {Text(Value(member, value), 1)}"))} }}",
    };

    private static string Listed(IEnumerable<string> items)
    {
        List<string> first = items.Take(MostRows + 1).ToList();
        return first.Count > MostRows ? $"[ {string.Join(", ", first.Take(MostRows))}, … ]" : $"[ {string.Join(", ", first)} ]";
    }

    /// <summary>The value as a table, or null where plain text says as much (a list of numbers, an object without members).</summary>
    private static string? Table(object value)
    {
        if (value is IDictionary dictionary)
            return Table(["key", "value"], dictionary.Keys.Cast<object>().Select(key => new[] { key, dictionary[key] }), dictionary.Count);
        if (value is IEnumerable sequence)
        {
            int? count = (value as ICollection)?.Count;
            List<object?> items = sequence.Cast<object?>().Take(MostRows + 1).ToList();
            if (items.All(item => item is null || IsText(item)))
                return null;
            List<MemberInfo> columns = items.OfType<object>().SelectMany(item => Members(item.GetType())).DistinctBy(member => member.Name).ToList();
            return columns.Count == 0 || items.Any(item => item is IEnumerable or null || IsText(item))
                ? Table(["value"], items.Select(item => new[] { item }), count ?? items.Count)
                : Table([.. columns.Select(column => column.Name)],
                    items.Select(item => columns.Select(column => Cell(item!, column.Name)).ToArray()), count ?? items.Count);
        }
        List<MemberInfo> members = Members(value.GetType());
        return members.Count == 0 ? null : Table([], members.Select(member => new[] { member.Name, Value(member, value) }), members.Count, firstIsHeader: true);
    }

    private static string Table(string[] header, IEnumerable<object?[]> rows, int count, bool firstIsHeader = false)
    {
        List<object?[]> shown = rows.Take(MostRows).ToList();
        var html = new StringBuilder("<table>");
        if (header.Length > 0)
        {
            object?[] first = shown.FirstOrDefault([]);
            html.Append("<thead><tr>")
                .AppendJoin("", header.Select((name, i) => $"<th{Alignment(first.ElementAtOrDefault(i))}>{Html.Encode(name)}</th>"))
                .Append("</tr></thead>");
        }
        html.Append("<tbody>\n");
        foreach (object?[] row in shown)
        {
            html.Append("<tr>");
            for (int i = 0; i < row.Length; i++)
            {
                string tag = firstIsHeader && i == 0 ? "th" : "td";
                html.Append($"<{tag}{Alignment(row[i])}>{Html.Encode(Text(row[i], 1))}</{tag}>");
            }
            html.Append("</tr>\n");
        }
        html.Append("</tbody></table>");
        if (count > MostRows)
            html.Append(CultureInfo.InvariantCulture, $"<p>the first {MostRows} rows of {(count == MostRows + 1 ? "more" : count)}</p>");
        return html.ToString();
    }

    private static string Alignment(object? value) => IsNumber(value) ? " style=\"text-align:right\"" : "";

    private static object? Cell(object item, string column) =>
        Members(item.GetType()).FirstOrDefault(member => member.Name == column) is { } member ? Value(member, item) : "";

    private static List<MemberInfo> Members(Type type)
    {
        const BindingFlags shown = BindingFlags.Public | BindingFlags.Instance;
        IEnumerable<MemberInfo> properties = type.GetProperties(shown).Where(property => property.CanRead && property.GetIndexParameters().Length == 0);
        return [.. properties, .. type.GetFields(shown)];
    }

    private static object? Value(MemberInfo member, object of)
    {
        try
        {
            return member is PropertyInfo property ? property.GetValue(of) : ((FieldInfo)member).GetValue(of);
        }
        catch (Exception e)
        {
            return e.InnerException ?? e;
        }
    }

    private static bool IsNumber(object? value) => value is not null && (value.GetType().IsPrimitive || value is decimal) && value is not (bool or char);

    private static bool IsRecord(object value) => value.GetType().GetMethod("<Clone>$") is not null
        || value.GetType().GetMethod("PrintMembers", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(StringBuilder)]) is not null;

    private static bool IsAnonymous(Type type) =>
        type.Name.Contains("AnonymousType", StringComparison.Ordinal) && type.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool OverridesToString(object value) =>
        value.GetType().GetMethod("ToString", Type.EmptyTypes)!.DeclaringType is { } declaring && declaring != typeof(object) && declaring != typeof(ValueType);

    private static string TypeName(Type type) => type.Name.Split('`')[0];

}
