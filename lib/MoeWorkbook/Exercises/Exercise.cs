using System.Collections;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A question whose answer is a function. It is checked with fresh numbers each time, so a number read off elsewhere does not pass.</summary>
/// <typeparam name="TCase">The numbers of one case, as a tuple or record.</typeparam>
/// <typeparam name="TAnswer">The answer to one case.</typeparam>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Exercise<TCase, TAnswer> : INotebookDisplay
{
    private const int CasesTried = 20;
    // Of the right number, or absolute where that is below 1. Single precision stays within it.
    private const double Tolerance = 1e-5;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private readonly string[] _names;
    private readonly Func<Random, TCase> _draw;
    private readonly Func<TCase, TAnswer> _solution;
    private readonly Func<TCase, bool>[] _telling;

    /// <summary>An exercise.</summary>
    /// <param name="question">What to compute, for the learner.</param>
    /// <param name="names">What the parts of a case are called in messages, in order.</param>
    /// <param name="draw">Draws a case.</param>
    /// <param name="solution">The right answer to a case.</param>
    /// <param name="telling">What makes a case tell a wrong answer that is often given from the right one. Every check has cases of each kind, redrawn until
    /// they are.</param>
    public Exercise(string question, string[] names, Func<Random, TCase> draw, Func<TCase, TAnswer> solution, params Func<TCase, bool>[] telling)
    {
        Question = question;
        _names = names;
        _draw = draw;
        _solution = solution;
        _telling = telling;
    }

    /// <summary>What to compute.</summary>
    public string Question { get; }

    /// <summary>Tries an answer on twenty fresh cases and says of the first that fails what was given and what is right.</summary>
    /// <remarks>Numbers with a fraction are right to five digits, so that single precision is good enough; whole numbers must be exact.</remarks>
    /// <param name="answer">The learner's function. It runs on a thread of its own, which is abandoned when the time is up.</param>
    /// <param name="seed">Fixes the cases; by default they are new each time.</param>
    /// <param name="limit">How long all cases together may take; by default 20 seconds.</param>
    public CheckResult Check(Func<TCase, TAnswer> answer, int? seed = null, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var random = seed is { } s ? new Random(s) : new Random();
        var allowed = limit ?? _limit;
        var current = "";
        using var printed = new PrintedText();
        var checking = Task.Factory.StartNew(() =>
        {
            printed.OfThisThread();
            return Judge(answer, random, description =>
            {
                printed.Clear();
                Volatile.Write(ref current, description);
            });
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var result = checking.Wait(allowed) ? checking.Result
            : new(false, $"Not yet. For {Volatile.Read(ref current)} your function has not answered after {allowed.TotalSeconds:0.##} s: does every loop in it end? It still runs; restart the kernel to stop it.");
        return printed.ToString() is { Length: > 0 } text ? result with { Message = $"{result.Message} In this last case it printed: {text}" } : result;
    }

    /// <inheritdoc />
    public string ToHtml() => $"<div style=\"border-left:4px solid #0072b2;padding:.3em .8em\"><b>Exercise.</b> {WebUtility.HtmlEncode(Question)}</div>";

    /// <summary>The question as text.</summary>
    public override string ToString() => $"Exercise. {Question}";

    /// <summary>Tries an answer on the calling thread, for as long as it takes; says what each case is before the answer meets it.</summary>
    internal CheckResult Judge(Func<TCase, TAnswer> answer, Random random, Action<string>? next = null)
    {
        for (var i = 0; i < CasesTried; i++)
        {
            var one = Draw(random, i);
            // Both before the answer runs: it may change the arrays that it is given.
            var description = Describe(one);
            var right = _solution(one);
            next?.Invoke(description);
            if (Fault(answer, one, right) is { } fault) return new(false, $"Not yet. For {description} your function {fault}.");
        }

        return new(true, $"Right, for {CasesTried} cases drawn at random.");
    }

    /// <summary>The i-th case of a check: first any, then one of each telling kind, and so on in turn.</summary>
    private TCase Draw(Random random, int i)
    {
        var kind = i % (_telling.Length + 1) - 1;
        while (true)
        {
            var one = _draw(random);
            if (kind < 0 || _telling[kind](one)) return one;
        }
    }

    private static string? Fault(Func<TCase, TAnswer> answer, TCase one, TAnswer right)
    {
        TAnswer given;
        try
        {
            given = answer(one);
        }
        catch (Exception e)
        {
            // libtorch's messages go on with a C++ stack.
            return $"throws {e.GetType().Name}: {e.Message.Split('\n')[0].TrimEnd('\r', '.')}";
        }

        return Same(given, right) ? null : $"gives {Text(given)}; it should give {Text(right)}";
    }

    private string Describe(TCase one) => one is ITuple parts
        ? string.Join(", ", _names.Zip(Parts(parts), (name, part) => $"{name} = {Text(part)}"))
        : $"{_names[0]} = {Text(one)}";

    private static bool Same(object? given, object? right) => (given, right) switch
    {
        (double a, double b) => Math.Abs(a - b) <= Tolerance * Math.Max(1, Math.Abs(b)),
        (string a, string b) => a == b,
        (Tensor a, Tensor b) => Same(Numbers(a), Numbers(b)),
        (ITuple a, ITuple b) => SameItems([.. Parts(a)], [.. Parts(b)]),
        (IEnumerable a, IEnumerable b) => SameItems([.. a.Cast<object?>()], [.. b.Cast<object?>()]),
        _ => Equals(given, right),
    };

    private static bool SameItems(object?[] given, object?[] right) =>
        given.Length == right.Length && given.Zip(right).All(pair => Same(pair.First, pair.Second));

    /// <summary>A tensor's numbers: of one dimension an array, of more an array of such arrays.</summary>
    private static object Numbers(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var (shape, next) = (tensor.shape, 0);
        return tensor.is_floating_point() ? Nested(tensor.to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray(), 0)
            : Nested(tensor.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray(), 0);

        object Nested<T>(T[] flat, int dimension) where T : struct =>
            dimension == shape.Length ? flat[next++] : Enumerable.Range(0, (int)shape[dimension]).Select(_ => Nested(flat, dimension + 1)).ToArray();
    }

    private static IEnumerable<object?> Parts(ITuple tuple) => Enumerable.Range(0, tuple.Length).Select(i => tuple[i]);

    private static string Text(object? value) => value switch
    {
        null => "null",
        string text => text,
        bool flag => flag ? "true" : "false",
        int or long => ((IFormattable)value).ToString("N0", CultureInfo.InvariantCulture),
        // Numbers that are told apart differ in these digits: six are finer than the tolerance.
        double number => number.ToString("G6", CultureInfo.InvariantCulture),
        Tensor tensor => Text(Numbers(tensor)),
        ITuple tuple => $"({string.Join("; ", Parts(tuple).Select(Text))})",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Text))}]",
        _ => value.ToString() ?? "null",
    };
}
