using System.CommandLine;
using System.Globalization;

namespace MoeWorkbook.Cli;

/// <summary>Options that take a number: with a point and no separators whatever the machine's language, finite, and in a range.</summary>
internal static class NumberOption
{
    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<int> Whole(string name, string description, int byDefault, int least = 1, int most = int.MaxValue)
    {
        var option = OptionalWhole<int>(name, description, least, most);
        option.DefaultValueFactory = _ => byDefault;
        return option;
    }

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>; the type's default where the option is not given.</summary>
    public static Option<T> OptionalWhole<T>(string name, string description, int least = 1, int most = int.MaxValue) => Create<T>(
        name, description,
        text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : null,
        most == int.MaxValue ? $"a whole number of at least {least}" : $"a whole number from {least} to {most}");

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>; the type's default where the option is not given.</summary>
    public static Option<T> Real<T>(string name, string description, double least, double most) => Create<T>(
        name, description,
        text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null,
        FormattableString.Invariant($"a number from {least} to {most}, with a point as in 0.5"));

    private static Option<T> Create<T>(string name, string description, Func<string, object?> parse, string allowed) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            if (result.Tokens is [var token] && parse(token.Value) is { } number)
                return (T)Convert.ChangeType(number, Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T), CultureInfo.InvariantCulture);
            result.AddError($"{name} takes {allowed}, and not '{string.Join(' ', result.Tokens.Select(given => given.Value))}'.");
            return default!;
        },
    };
}
