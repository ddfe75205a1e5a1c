namespace MoeWorkbook;

/// <summary>The exercises of the workbook, by chapter.</summary>
public static partial class Exercises
{
    private static int Pick(Random random, params int[] values) => values[random.Next(values.Length)];
}
