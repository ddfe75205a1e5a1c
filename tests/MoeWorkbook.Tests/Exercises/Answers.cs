using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>Answers to an exercise: a right one must pass whatever the seed, in whatever arithmetic; a wrong one must never.</summary>
internal sealed class Answers<TCase, TAnswer>(Exercise<TCase, TAnswer> exercise)
{
    // Tensors take longer to make than to compute with.
    private static readonly int _seeds = typeof(TAnswer) == typeof(Tensor) ? 40 : 300;

    public Answers<TCase, TAnswer> Right(string answer, Func<TCase, TAnswer> function)
    {
        for (var seed = 0; seed < _seeds; seed++)
        {
            var result = exercise.Judge(function, new Random(seed));
            Assert.True(result.Correct, $"{answer}, seed {seed}: {result.Message}");
        }

        return this;
    }

    public Answers<TCase, TAnswer> Wrong(string answer, Func<TCase, TAnswer> function)
    {
        for (var seed = 0; seed < _seeds; seed++)
        {
            var result = exercise.Judge(function, new Random(seed));
            Assert.False(result.Correct, $"{answer}, seed {seed}: passes");
            if (result.Message.Split(" your function gives ") is not [_, var rest]) continue;
            var numbers = rest.TrimEnd('.').Split("; it should give ");
            Assert.NotEqual(numbers[1], numbers[0]);
        }

        return this;
    }
}

internal static class Answers
{
    public static Answers<TCase, TAnswer> To<TCase, TAnswer>(Exercise<TCase, TAnswer> exercise) => new(exercise);
}
