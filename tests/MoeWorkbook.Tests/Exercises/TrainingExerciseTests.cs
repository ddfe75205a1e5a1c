namespace MoeWorkbook.Tests.Exercises;

public sealed class TrainingExerciseTests
{
    [Fact]
    public void The_mutual_information_of_counts_is_the_librarys_without_its_correction()
    {
        Assert.True(MoeWorkbook.Exercises.MutualInformation.Check(counts =>
        {
            int[] domains = [.. counts.SelectMany((row, d) => row.SelectMany(n => Enumerable.Repeat(d,
                n)))], experts = [.. counts.SelectMany(row => row.SelectMany((n, e) => Enumerable.Repeat(e, n)))];
            int seen = counts.Sum(row => row.Count(n => n > 0)), rows = domains.Distinct().Count(), columns = experts.Distinct().Count();
            return MutualInformation.Between(domains, experts) - (rows + columns - seen - 1) / (2.0 * domains.Length);
        }, seed: 1).Correct);
    }

    [Fact]
    public void A_curve_that_never_gets_there_answers_minus_one_and_the_others_agree_with_the_speed_up() =>
        Assert.True(MoeWorkbook.Exercises.StepsToLoss.Check(curve =>
        {
            (double, double)[] points = [.. curve.Steps.Zip(curve.Losses)];
            var speedUp = SpeedUp.ToEqualLoss([[(1, curve.Target)]], [points]);
            return speedUp.Reached ? 1 / speedUp.Ratio.Value : -1;
        }, seed: 2).Correct);

    [Fact]
    public void Splitting_sixteen_experts_in_four_gives_635_376_combinations() =>
        Assert.True(MoeWorkbook.Exercises.ExpertCombinations.Check(layer => (Choose(layer.Experts, layer.ExpertsPerToken),
            Choose(layer.Experts * layer.Split, layer.ExpertsPerToken * layer.Split)), seed: 3).Correct);

    [Fact]
    public void An_expert_that_is_gone_is_chosen_by_no_token() =>
        Assert.True(MoeWorkbook.Exercises.RouteWithout.Check(token =>
        {
            int[] experts = [.. Enumerable.Range(0,
                token.Logits.Length).Where(e => e != token.Removed).OrderByDescending(e => token.Logits[e]).Take(token.ExpertsPerToken)];
            var sum = experts.Sum(e => Math.Exp(token.Logits[e]));
            return (experts, [.. experts.Select(e => Math.Exp(token.Logits[e]) / sum)]);
        }, seed: 4).Correct);

    private static double Choose(int n, int k) => Enumerable.Range(1, k).Aggregate(1.0, (product, i) => Math.Round(product * (n - k + i) / i));
}
