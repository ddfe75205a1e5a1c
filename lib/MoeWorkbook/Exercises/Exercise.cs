using System.Collections;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <summary>A question whose answer is a function. It is checked with fresh numbers each time, so a number read off elsewhere does not pass.</summary>
/// <typeparam name="TCase">The numbers of one case, as a tuple or record.</typeparam>
/// <typeparam name="TAnswer">The answer to one case.</typeparam>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Exercise<TCase, TAnswer> : INotebookDisplay
{
    private const int CasesTried = 20;
    private const double Tolerance = 1e-9;
    private readonly string[] _names;
    private readonly Func<Random, TCase> _draw;
    private readonly Func<TCase, TAnswer> _solution;

    /// <summary>An exercise.</summary>
    /// <param name="question">What to compute, for the learner.</param>
    /// <param name="names">What the parts of a case are called in messages, in order.</param>
    /// <param name="draw">Draws a case.</param>
    /// <param name="solution">The right answer to a case.</param>
    public Exercise(string question, string[] names, Func<Random, TCase> draw, Func<TCase, TAnswer> solution)
    {
        Question = question;
        this._names = names;
        this._draw = draw;
        this._solution = solution;
    }

    /// <summary>What to compute.</summary>
    public string Question { get; }

    /// <summary>Tries an answer on twenty fresh cases and says of the first that fails what was given and what is right.</summary>
    /// <param name="answer">The learner's function.</param>
    /// <param name="seed">Fixes the cases; by default they are new each time.</param>
    public CheckResult Check(Func<TCase, TAnswer> answer, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var random = seed is { } s ? new Random(s) : new Random();
        for (int i = 0; i < CasesTried; i++)
        {
            var one = _draw(random);
            TAnswer right = _solution(one), given;
            try
            {
                given = answer(one);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                return new(false, $"Not yet. For {Describe(one)} your function throws {e.GetType().Name}: {e.Message}");
            }

            if (!Same(given, right))
                return new(false, $"Not yet. For {Describe(one)} your function gives {Text(given)}; it should give {Text(right)}.");
        }

        return new(true, $"Right, for {CasesTried} cases drawn at random.");
    }

    /// <inheritdoc />
    public string ToHtml() => $"<div style=\"border-left:4px solid #0072b2;padding:.3em .8em\"><b>Exercise.</b> {WebUtility.HtmlEncode(Question)}</div>";

    /// <summary>The question as text.</summary>
    public override string ToString() => $"Exercise. {Question}";

    private string Describe(TCase one) => one is ITuple parts
        ? string.Join(", ", Enumerable.Range(0, parts.Length).Select(i => $"{_names[i]} = {Text(parts[i])}"))
        : $"{_names[0]} = {Text(one)}";

    private static bool Same(object? given, object? right) => (given, right) switch
    {
        (double a, double b) => Math.Abs(a - b) <= Tolerance * Math.Max(1, Math.Abs(b)),
        (string a, string b) => a == b,
        (ITuple a, ITuple b) => a.Length == b.Length && Enumerable.Range(0, a.Length).All(i => Same(a[i], b[i])),
        (IEnumerable a, IEnumerable b) => SameItems([.. a.Cast<object?>()], [.. b.Cast<object?>()]),
        _ => Equals(given, right),
    };

    private static bool SameItems(object?[] given, object?[] right) => given.Length == right.Length && given.Zip(right).All(pair => Same(pair.First, pair.Second));

    private static string Text(object? value) => value switch
    {
        null => "null",
        string text => text,
        bool flag => flag ? "true" : "false",
        int or long => ((IFormattable)value).ToString("N0", CultureInfo.InvariantCulture),
        double number => number.ToString("G6", CultureInfo.InvariantCulture),
        ITuple parts => $"({string.Join("; ", Enumerable.Range(0, parts.Length).Select(i => Text(parts[i])))})",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Text))}]",
        _ => value.ToString() ?? "null",
    };
}
