namespace MoeWorkbook;

/// <summary>The exercises of the workbook, by chapter.</summary>
public static partial class Exercises
{
    // A number that is multiplied is a long, as in the chapters, so that the chapter's own formula does not overflow.
    private static int Pick(Random random, params int[] values) => values[random.Next(values.Length)];

    private static T Until<T>(Func<T> draw, Func<T, bool> fits)
    {
        while (true)
        {
            var drawn = draw();
            if (fits(drawn)) return drawn;
        }
    }

    /// <summary>Far enough apart that rounding cannot make the smaller number the larger one.</summary>
    private static bool Apart(double one, double other) => Math.Abs(one - other) > 0.01 * Math.Max(one, other);

    private static bool Ascending(IEnumerable<int> numbers) => numbers.SequenceEqual(numbers.Order());
}
