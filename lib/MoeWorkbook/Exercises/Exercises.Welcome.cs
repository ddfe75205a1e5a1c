using static TorchSharp.torch;

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
            var sum = logits.Sum(Math.Exp);
            return [.. logits.Select(z => Math.Exp(z) / sum)];
        });

    /// <summary>Chapter 00: the shape to which two shapes are broadcast.</summary>
    public static Exercise<(long[] One, long[] Other), long[]> BroadcastShape { get; } = new(
        "Two tensors are added whose shapes fit each other by broadcasting. What shape has the sum?",
        ["one", "other"],
        random =>
        {
            long[] shape = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => (long)random.Next(2, 6))];
            long[] Part(int dimensions) => [.. shape[^dimensions..].Select(size => random.Next(3) == 0 ? 1 : size)];
            var shorter = random.Next(1, shape.Length + 1);
            return random.Next(2) == 0 ? (Part(shape.Length), Part(shorter)) : (Part(shorter), Part(shape.Length));
        },
        shapes =>
        {
            var dimensions = Math.Max(shapes.One.Length, shapes.Other.Length);
            return [.. Enumerable.Range(0, dimensions).Select(i => Math.Max(SizeAt(shapes.One, i - dimensions), SizeAt(shapes.Other, i - dimensions)))];
        },
        // Neither shape is the answer, and the shorter one lies at the right.
        shapes => IsShorterAndWiderSomewhere(shapes.One, shapes.Other),
        shapes => IsShorterAndWiderSomewhere(shapes.Other, shapes.One));

    /// <summary>Chapter 00: each token's hidden state times a number of its own.</summary>
    public static Exercise<(Tensor Hidden, Tensor Weights), Tensor> ScaledRows { get; } = new(
        "From hidden states [tokens, hidden] and one weight for each token, [tokens]: the hidden states, each times the weight of its token, [tokens, hidden].",
        ["hidden states", "weights"],
        random =>
        {
            var tokens = random.Next(2, 4);
            return (Matrix(random, tokens, random.Next(2, 4)), Vector(random, tokens));
        },
        token => token.Hidden * token.Weights.unsqueeze(1),
        // Here columns and rows cannot be taken for each other, and here nothing complains if they are.
        token => token.Hidden.shape[0] != token.Hidden.shape[1],
        token => token.Hidden.shape[0] == token.Hidden.shape[1]);

    /// <summary>Chapter 00: the gradient of the squared error of a linear model.</summary>
    public static Exercise<(Tensor Parameters, Tensor Input, double Target), Tensor> SquaredErrorGradient { get; } = new(
        "The loss of a linear model is (θ · x − y)². From the parameters θ, the input x (both [n]) and the target y: the gradient of the "
            + "loss with respect to θ, [n]. By hand or by autograd.",
        ["θ", "x", "y"],
        random =>
        {
            var count = random.Next(2, 5);
            return (Vector(random, count), Vector(random, count), random.Next(-20, 21) / 10.0);
        },
        model => 2 * ((model.Parameters * model.Input).sum() - model.Target) * model.Input,
        model => Math.Abs((model.Parameters * model.Input).sum().item<float>() - model.Target) > 0.5);

    private static bool IsShorterAndWiderSomewhere(long[] one, long[] other) =>
        one.Length < other.Length && one.Zip(other[^one.Length..]).Any(sizes => sizes.First > sizes.Second);

    private static long SizeAt(long[] shape, int fromEnd) => -fromEnd > shape.Length ? 1 : shape[^-fromEnd];

    /// <summary>Numbers that are not small and not equal, in single precision as a layer has them.</summary>
    private static Tensor Vector(Random random, int count) => tensor(Array.ConvertAll(Numbers(random, count), number => (float)number));

    private static Tensor Matrix(Random random, int rows, int columns) => Vector(random, rows * columns).view(rows, columns);
}
