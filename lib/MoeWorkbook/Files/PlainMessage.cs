namespace MoeWorkbook;

/// <summary>Messages for the reader of a file, not for its programmer.</summary>
internal static class PlainMessage
{
    /// <summary>An exception's message on one line, without the name of a method's parameter.</summary>
    public static string Of(Exception e)
    {
        var message = e.Message;
        if (e is ArgumentException { ParamName: { } name }) message = message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal);
        message = message.Replace(" Change the reader options.", "", StringComparison.Ordinal); // the JSON parser's advice
        return string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }
}
