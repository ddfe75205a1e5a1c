using static TorchSharp.torch;
using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>The answers that the exercises of chapters 06 and 07 take for right are those of the library.</summary>
public sealed class BalancingExerciseTests
{
    [Fact]
    public void The_gradient_of_the_chosen_probability_is_libtorchs() => Right(Questions.TopOneGradient.Check(router =>
    {
        using var scope = NewDisposeScope();
        var logits = tensor(router.Logits, requires_grad: true);
        logits.softmax(0)[router.Chosen].backward();
        return logits.grad!.data<double>().ToArray();
    }, seed: 6));

    [Fact]
    public void What_is_dropped_is_what_the_librarys_capacity_drops() => Right(Questions.DroppedAtCapacity.Check(layer =>
    {
        using var scope = NewDisposeScope();
        long[] chosen = [.. layer.Load.SelectMany((load, expert) => Enumerable.Repeat((long)expert, (int)load))];
        return LoadStatistics.Of(new ExpertCapacity(layer.CapacityFactor).Apply(Decision(chosen, layer.Load.Length))).DroppedShare;
    }, seed: 6));

    [Fact]
    public void The_slowest_device_of_one_expert_each_is_one_above_the_max_violation() => Right(Questions.SlowestDevice.Check(layer =>
    {
        var each = layer.Load.Length / layer.Devices;
        return 1 + LoadStatistics.Of([.. layer.Load.Chunk(each).Select(device => device.Sum())]).MaxViolation;
    }, seed: 6));

    [Fact]
    public void Biases_move_as_the_routers_do() => Right(Questions.BiasUpdate.Check(step =>
    {
        using var scope = NewDisposeScope();
        var router = new SigmoidTopKRouter(4, step.Load.Length, 1, selectionBias: true);
        var bias = router.SelectionBias!;
        using (no_grad()) bias.copy_(tensor(step.Biases));
        router.UpdateSelectionBias(Decision([.. step.Load.SelectMany((load, expert) => Enumerable.Repeat((long)expert, (int)load))], step.Load.Length),
            step.Rate);
        // The buffer is float32: near enough to the exact value to stand for it.
        return [.. bias.to(ScalarType.Float64).data<double>().Select((value, e) => Nearest(value, step.Biases[e], step.Rate))];
    }, seed: 7));

    [Fact]
    public void The_z_loss_is_the_librarys() => Right(Questions.RouterZLoss.Check(logits =>
    {
        using var scope = NewDisposeScope();
        var values = tensor(logits.SelectMany(row => row).ToArray()).view(logits.Length, -1);
        return BalancingLoss.RouterZ(Decision(new long[logits.Length], logits[0].Length) with { Logits = values }).item<double>();
    }, seed: 7));

    [Fact]
    public void The_gradient_of_the_auxiliary_loss_is_libtorchs() => Right(Questions.BalancingGradient.Check(batch =>
    {
        using var scope = NewDisposeScope();
        var scores = full(batch.Chosen.Length, batch.Experts, 1.0 / batch.Experts, dtype: ScalarType.Float64, requires_grad: true);
        BalancingLoss.Switch(Decision([.. batch.Chosen.Select(e => (long)e)], batch.Experts) with { Scores = scores }).backward();
        // P is a mean over tokens, so the tokens' gradients add up to its own. The library divides scores by their sum, which
        // takes the mean gradient, 1, away: along it no probability can move.
        // The load is counted in float32: near enough to the count to stand for it.
        return [.. scores.grad!.sum([0L]).data<double>()
            .Select(gradient => Math.Round((gradient + 1) * batch.Chosen.Length / batch.Experts) * batch.Experts / batch.Chosen.Length)];
    }, seed: 7));

    private static double Nearest(double value, double start, double rate) => new[] { start - rate, start, start + rate }.MinBy(x => Math.Abs(x - value));

    private static RoutingDecision Decision(long[] chosen, int experts) => RoutingDecision.TopK(
        new(zeros(1, chosen.Length, 1)), zeros(chosen.Length, experts), full(chosen.Length, experts, 1.0 / experts), tensor(chosen)
            .view(-1, 1), ones(chosen.Length, 1));

    private static void Right(CheckResult result) => Assert.True(result.Correct, result.Message);
}
