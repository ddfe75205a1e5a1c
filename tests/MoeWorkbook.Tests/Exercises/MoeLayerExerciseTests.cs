using MathNet.Numerics.Distributions;
using static TorchSharp.torch;
using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>The answers that the exercises of chapter 04 take for right are those of the library, or of an independent formula.</summary>
public sealed class MoeLayerExerciseTests
{
    [Fact]
    public void Slots_are_those_of_the_librarys_capacity() => Right(Questions.SlotsOfAnExpert.Check(
        layer => new ExpertCapacity(layer.Factor).PerExpert(layer.Tokens * layer.ExpertsPerToken, layer.Experts), seed: 4));

    [Fact]
    public void Dropped_are_those_that_the_library_drops() => Right(Questions.DroppedByPosition.Check(queue =>
    {
        using var scope = NewDisposeScope();
        var factor = (double)queue.Capacity * queue.Experts / queue.Chosen.Length;
        var kept = new ExpertCapacity(factor * (1 - 1e-12)).Apply(Decision(queue.Chosen, queue.Experts)).Kept.data<bool>().ToArray();
        return [.. Enumerable.Range(0, kept.Length).Where(i => !kept[i])];
    }, seed: 4));

    [Fact]
    public void Sorted_is_as_the_sorted_runner_sorts() => Right(Questions.SortedByExpert.Check(list =>
    {
        using var scope = NewDisposeScope();
        var routing = Decision(list.Chosen, list.Experts);
        var (_, order) = routing.Experts.sort(0, stable: true);
        return ([.. routing.Load().data<long>().Select(count => (int)count)], [.. order.data<long>().Select(i => (int)i)]);
    }, seed: 4));

    [Fact]
    public void Operations_are_twice_the_active_weights_of_the_count() => Right(Questions.MoeLayerOperations.Check(layer =>
    {
        var dense = ModelConfig.Dense((int)layer.Hidden, layerCount: 1, headCount: 1, keyValueHeadCount: 1, (int)layer.IntermediateSize, vocabularySize: 1);
        var sparse = dense.MixtureOfExperts((int)layer.Experts, (int)layer.ExpertsPerToken);
        var active = ParameterCount.Of(sparse with { Moe = sparse.Moe! with { SharedIntermediateSize = (int)layer.SharedSize } }).ActiveByComponent;
        return 2 * layer.Tokens * (active[ModelComponent.Router] + active[ModelComponent.RoutedExperts] + active[ModelComponent.SharedExperts]);
    }, seed: 4));

    [Fact]
    public void The_expected_dropped_share_is_that_of_a_binomial_load() => Right(Questions.ExpectedDroppedShare.Check(batch =>
        batch.Experts / (double)batch.Tokens * Enumerable.Range(batch.Capacity, batch.Tokens - batch.Capacity + 1)
            .Sum(n => (n - batch.Capacity) * Binomial.PMF(1.0 / batch.Experts, batch.Tokens, n)), seed: 4));

    [Fact]
    public void A_token_whose_every_assignment_is_dropped_gets_zeros() => Right(Questions.CombinedOutput.Check(token =>
    {
        var output = new double[token.Outputs[0].Length];
        foreach (var (weight, kept, values) in token.Weights.Zip(token.Kept, token.Outputs))
            if (kept) output = [.. output.Zip(values, (sum, value) => sum + weight * value)];
        return output;
    }, seed: 4));

    private static void Right(CheckResult result) => Assert.True(result.Correct, result.Message);

    private static RoutingDecision Decision(int[] chosen, int experts)
    {
        var logits = zeros(chosen.Length, experts);
        return RoutingDecision.TopK(new(zeros(1, chosen.Length, 4)), logits, logits,
            tensor(Array.ConvertAll(chosen, e => (long)e), [chosen.Length, 1]), ones(chosen.Length, 1));
    }
}
