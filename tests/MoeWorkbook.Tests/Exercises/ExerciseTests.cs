using CsCheck;
using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>What a check tells the learner.</summary>
public sealed class ExerciseTests
{
    [Fact]
    public void A_function_that_sorts_what_it_is_given_is_shown_the_numbers_that_were_drawn()
    {
        var kept = Questions.TopKRouting.Check(_ => ([], []), seed: 3).Message;
        var sorted = Questions.TopKRouting.Check(token =>
        {
            Array.Sort(token.Logits);
            return ([], []);
        }, seed: 3).Message;
        Assert.Equal(kept, sorted);
    }

    [Fact]
    public void Numbers_that_are_told_apart_are_shown_to_digits_in_which_they_differ() => Gen.Select(Gen.Double[-6, 6], Gen.OneOf(-1, 1)).Holds(10_000, drawn =>
    {
        var (exponent, sign) = drawn;
        var right = Math.Pow(10, exponent);
        var given = right + (1 + 1e-6) * 1e-5 * Math.Max(1, right) * sign;
        var message = new Exercise<int, double>("?", ["x"], _ => 0, _ => right).Judge(_ => given, new(1)).Message;
        var numbers = message[..^1].Split(" gives ")[1].Split("; it should give ");
        Assert.NotEqual(numbers[1], numbers[0]);
    });

    [Fact]
    public void Five_digits_are_enough_and_four_are_not()
    {
        var exercise = new Exercise<double, double>("?", ["x"], random => 1 + random.NextDouble(), x => 1000 * x);
        Assert.True(exercise.Check(x => 1000 * x * (1 + 9e-6), seed: 1).Correct);
        Assert.True(exercise.Check(x => 1000 * (float)x, seed: 1).Correct);
        Assert.False(exercise.Check(x => 1000 * x * (1 + 1.1e-5), seed: 1).Correct);
        Assert.False(exercise.Check(_ => double.NaN, seed: 1).Correct);
        Assert.False(exercise.Check(_ => double.PositiveInfinity, seed: 1).Correct);
    }

    [Fact]
    public void A_loop_without_an_end_is_given_up_and_named()
    {
        var stop = false;
        var result = Questions.IndependentSums.Check(_ =>
        {
            while (!Volatile.Read(ref stop)) Thread.Yield();
            return 0;
        }, seed: 1, limit: TimeSpan.FromSeconds(0.3));
        Volatile.Write(ref stop, true);
        Assert.False(result.Correct);
        Assert.Contains("latency in cycles = ", result.Message);
        Assert.Contains("has not answered after 0.3 s: does every loop in it end?", result.Message);
        Assert.True(Questions.IndependentSums.Check(unit => unit.LatencyCycles * unit.PerCycle).Correct);
    }

    [Fact]
    public void What_a_function_throws_is_told_in_one_line() => Assert.EndsWith(
        "your function throws InvalidOperationException: first line.",
        Questions.IndependentSums.Check(_ => throw new InvalidOperationException("first line.\r\nsecond line"), seed: 1).Message);

    [Fact]
    public void What_a_function_prints_in_the_case_that_fails_is_told_with_it()
    {
        var calls = 0;
        var message = Questions.IndependentSums.Check(unit =>
        {
            Console.WriteLine($"call {++calls}");
            Console.Write('x');
            return calls < 3 ? unit.LatencyCycles * unit.PerCycle : -1;
        }, seed: 1).Message;
        Assert.EndsWith(" In this last case it printed: call 3 / x", message);
        Assert.Contains("it should give", message);
        Assert.EndsWith(" …", Questions.IndependentSums.Check(_ =>
        {
            for (var i = 0; i < 1000; i++) Console.WriteLine(i);
            return -1;
        }).Message);
    }

    [Fact]
    public void Every_check_has_a_case_of_each_telling_kind()
    {
        var exercise = new Exercise<int, int>("?", ["n"], random => random.Next(1000), n => n, n => n % 100 == 7, n => n > 990);
        for (var seed = 0; seed < 100; seed++)
        {
            Assert.False(exercise.Judge(n => n % 100 == 7 ? 0 : n, new(seed)).Correct);
            Assert.False(exercise.Judge(n => n > 990 ? 0 : n, new(seed)).Correct);
        }
    }
}
