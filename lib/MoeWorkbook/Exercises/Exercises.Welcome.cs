namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 00: the softmax of a few numbers.</summary>
    public static Exercise<double[], double[]> Softmax { get; } = new(
        "Write the softmax of an array of logits: exp(zᵢ) divided by the sum of all exp(zⱼ).",
        ["logits"],
        random => [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ => Math.Round(4 * random.NextDouble() - 2, 2))],
        logits =>
        {
            double sum = logits.Sum(Math.Exp);
            return [.. logits.Select(z => Math.Exp(z) / sum)];
        });
}
