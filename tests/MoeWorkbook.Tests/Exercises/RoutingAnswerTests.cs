using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>Chapters 03, 04, 06 and 07: answers in every arithmetic that a learner may use pass, and no wrong one does.</summary>
public sealed class RoutingAnswerTests
{
    [Fact]
    public void Routing_to_the_best_k() => Answers.To(Questions.TopKRouting)
        .Right("softmax of all, renormalised, float", t => Weighed(Best(t.Logits, t.ExpertsPerToken), [.. t.Logits.Select(z => (double)MathF.Exp((float)z))]))
        .Right("sorted in place", t =>
        {
            int[] numbers = [.. Enumerable.Range(0, t.Logits.Length)];
            Array.Sort(t.Logits, numbers);
            double[] best = [.. t.Logits.Reverse().Take(t.ExpertsPerToken).Select(Math.Exp)];
            return ([.. numbers.Reverse().Take(t.ExpertsPerToken)], [.. best.Select(e => e / best.Sum())]);
        })
        .Wrong("not renormalised", t => (Best(t.Logits, t.ExpertsPerToken), [.. Best(t.Logits, t.ExpertsPerToken).Select(e => Math.Exp(t.Logits[e]) / t.Logits.Sum(Math.Exp))]))
        .Wrong("in order of their numbers", t => Weighed([.. Best(t.Logits, t.ExpertsPerToken).Order()], [.. t.Logits.Select(Math.Exp)]))
        .Wrong("smallest first", t => Weighed(Best([.. t.Logits.Select(z => -z)], t.ExpertsPerToken), [.. t.Logits.Select(Math.Exp)]))
        .Wrong("logits as weights", t => Weighed(Best(t.Logits, t.ExpertsPerToken), t.Logits))
        .Wrong("sorted in place and asked afterwards", t =>
        {
            t.Logits.Sort();
            return Weighed(Best(t.Logits, t.ExpertsPerToken), [.. t.Logits.Select(Math.Exp)]);
        });

    [Fact]
    public void The_hash_of_the_hash_router() => Answers.To(Questions.HashRouting)
        .Right("by hand", b => Hashed(b, id => Mixed(id + 1) % (ulong)b.ExpertCount))
        .Right("the library's", b => [.. b.TokenIds.Select(new HashRouter(4, b.ExpertCount).ExpertOf)])
        .Wrong("the id itself", b => Hashed(b, id => (ulong)id % (ulong)b.ExpertCount))
        .Wrong("no + 1", b => Hashed(b, id => Mixed(id) % (ulong)b.ExpertCount))
        .Wrong("its upper bits", b => Hashed(b, id => (ulong)((UInt128)Mixed(id + 1) * (ulong)b.ExpertCount >> 64)))
        .Wrong("signed", b => [.. b.TokenIds.Select(id => (int)Math.Abs((long)Mixed(id + 1) % b.ExpertCount))])
        .Wrong("32 bits", b => Hashed(b, id => (uint)Mixed(id + 1) * 2654435761 % (ulong)b.ExpertCount));

    [Fact]
    public void Experts_that_choose() => Answers.To(Questions.ExpertChoice)
        .Right("sorted columns", b => [.. Enumerable.Range(0,
            b.Probabilities[0].Length).Select(e => Best([.. b.Probabilities.Select(row => (double)(float)row[e])], b.TokensPerExpert))])
        .Wrong("in order of their numbers", b => [.. Enumerable.Range(0,
            b.Probabilities[0].Length).Select(e => Best([.. b.Probabilities.Select(row => row[e])], b.TokensPerExpert).Order().ToArray())])
        .Wrong("smallest", b => [.. Enumerable.Range(0, b.Probabilities[0].Length).Select(e => Best([.. b.Probabilities.Select(row => -row[e])], b.TokensPerExpert))])
        .Wrong("tokens choose", b => [.. b.Probabilities.Select(row => Best(row, b.TokensPerExpert))]);

    [Fact]
    public void As_few_experts_as_have_a_probability() => Answers.To(Questions.TopPRouting)
        .Right("a running sum", b => [.. b.Probabilities.Select(row =>
        {
            var (taken, sum) = (new List<int>(), 0f);
            foreach (var e in Best(row, row.Length))
            {
                if (sum >= b.P) break;
                taken.Add(e);
                sum += (float)row[e];
            }

            return taken.ToArray();
        })])
        .Wrong("without the one that reaches p", b => [.. b.Probabilities.Select(row => Best(row, row.Length).TakeWhile((_, i) => Best(row, i + 1).Sum(e => row[e]) < b.P).ToArray())])
        .Wrong("two for each", b => [.. b.Probabilities.Select(row => Best(row, 2))])
        .Wrong("those above p", b => [.. b.Probabilities.Select(row => Best(row, row.Length).Where(e => row[e] >= b.P).ToArray())])
        .Wrong("in order of their numbers", b => [.. b.Probabilities.Select(row =>
        {
            var sum = 0.0;
            return Enumerable.Range(0, row.Length).TakeWhile(e => (sum += row[e]) - row[e] < b.P).ToArray();
        })]);

    [Fact]
    public void The_max_violation() => Answers.To(Questions.MaxViolation)
        .Right("of the ratio", b => b.Experts.CountBy(e => e).Max(load => load.Value) * (double)b.ExpertCount / b.Experts.Length - 1)
        .Right("float",
            b => (b.Experts.CountBy(e => e).Max(load => load.Value) - (float)b.Experts.Length / b.ExpertCount) / ((float)b.Experts.Length / b.ExpertCount))
        .Wrong("absolute", b => Loads(b).Max(n => Math.Abs(n - (double)b.Experts.Length / b.ExpertCount)) / ((double)b.Experts.Length / b.ExpertCount))
        .Wrong("mean of those that appear", b => b.Experts.CountBy(e => e).Max(load => load.Value) * (double)b.Experts.Distinct().Count() / b.Experts.Length - 1)
        .Wrong("an integer mean", b => Loads(b).Max() / (double)(b.Experts.Length / b.ExpertCount) - 1)
        .Wrong("the ratio", b => Loads(b).Max() * (double)b.ExpertCount / b.Experts.Length)
        .Wrong("over the largest", b => 1 - (double)b.Experts.Length / b.ExpertCount / Loads(b).Max());

    [Fact]
    public void The_switch_loss() => Answers.To(Questions.SwitchLoss)
        .Right("float", b => SwitchLoss(b, f: true, p: true))
        .Right("token by token", b => b.Experts.Average(e => b.Probabilities.Average(row => row[e])) * b.Probabilities[0].Length)
        .Wrong("no E", b => SwitchLoss(b, f: true, p: true) / b.Probabilities[0].Length)
        .Wrong("f twice", b => SwitchLoss(b, f: true, p: false))
        .Wrong("P twice", b => SwitchLoss(b, f: false, p: true))
        .Wrong("the chosen one's own probability", b => b.Experts.Zip(b.Probabilities, (e, row) => row[e]).Average() * b.Probabilities[0].Length);

    [Fact]
    public void The_gradient_of_the_switch_loss() => Answers.To(Questions.SwitchLossGradient)
        .Right("float", t => [.. LossGradient(t, (float)t.Shares.Length / t.Tokens).Select(number => (double)(float)number)])
        .Right("sum by sum", t => [.. t.Probabilities.Select((p, j) =>
            t.Probabilities.Select((q, i) => t.Shares.Length * t.Shares[i] / t.Tokens * q * ((i == j ? 1 : 0) - p)).Sum())])
        .Wrong("of the probabilities", t => [.. t.Shares.Select(f => t.Shares.Length * f / t.Tokens)])
        .Wrong("no T", t => LossGradient(t, t.Shares.Length))
        .Wrong("no E", t => LossGradient(t, 1.0 / t.Tokens))
        .Wrong("the diagonal", t => [.. t.Probabilities.Select((p, j) => t.Shares.Length * t.Shares[j] / t.Tokens * p * (1 - p))]);

    [Fact]
    public void The_smooth_load() => Answers.To(Questions.NoisyLoad)
        .Right("by cases, float", t =>
        {
            var order = Best(t.NoisyLogits, t.NoisyLogits.Length);
            return [.. t.Logits.Select((z, e) => ((float)z - (float)t.NoisyLogits[order[Array.IndexOf(order,
                e) < t.ExpertsPerToken ? t.ExpertsPerToken : t.ExpertsPerToken - 1]]) / (float)t.Deviations[e])];
        })
        .Wrong("k-th of all", t => [.. t.Logits.Select((z, e) => (z - t.NoisyLogits.OrderDescending().ElementAt(t.ExpertsPerToken - 1)) / t.Deviations[e])])
        .Wrong("(k+1)-th of all", t => [.. t.Logits.Select((z, e) => (z - t.NoisyLogits.OrderDescending().ElementAt(t.ExpertsPerToken)) / t.Deviations[e])])
        .Wrong("noisy logits", t => [.. t.NoisyLogits.Select((z,
            e) => (z - t.NoisyLogits.Where((_, o) => o != e).OrderDescending().ElementAt(t.ExpertsPerToken - 1)) / t.Deviations[e])])
        .Wrong("logits without noise",
            t => [.. t.Logits.Select((z, e) => (z - t.Logits.Where((_, o) => o != e).OrderDescending().ElementAt(t.ExpertsPerToken - 1)) / t.Deviations[e])])
        .Wrong("not divided", t => [.. t.Logits.Select((z, e) => z - t.NoisyLogits.Where((_, o) => o != e).OrderDescending().ElementAt(t.ExpertsPerToken - 1))]);

    [Fact]
    public void A_sort_must_be_stable() => Answers.To(Questions.SortedByExpert)
        .Right("by counting", l =>
        {
            var counts = new int[l.Experts];
            foreach (var expert in l.Chosen) counts[expert]++;
            var next = new int[l.Experts];
            for (var e = 1; e < l.Experts; e++) next[e] = next[e - 1] + counts[e - 1];
            var order = new int[l.Chosen.Length];
            for (var i = 0; i < order.Length; i++) order[next[l.Chosen[i]]++] = i;
            return (counts, order);
        })
        .Wrong("Array.Sort", l =>
        {
            int[] keys = [.. l.Chosen], order = [.. Enumerable.Range(0, keys.Length)];
            Array.Sort(keys, order);
            return ([.. Enumerable.Range(0, l.Experts).Select(e => keys.Count(key => key == e))], order);
        })
        .Wrong("List.Sort", l =>
        {
            List<int> order = [.. Enumerable.Range(0, l.Chosen.Length)];
            order.Sort((i, j) => l.Chosen[i].CompareTo(l.Chosen[j]));
            return ([.. Enumerable.Range(0, l.Experts).Select(e => l.Chosen.Count(chosen => chosen == e))], [.. order]);
        })
        .Wrong("no count of an empty expert", l => ([.. l.Chosen.CountBy(e => e).OrderBy(load => load.Key).Select(load => load.Value)],
            [.. Enumerable.Range(0, l.Chosen.Length).OrderBy(i => l.Chosen[i])]))
        .Wrong("experts for numbers", l => ([.. Enumerable.Range(0, l.Experts).Select(e => l.Chosen.Count(chosen => chosen == e))], [.. l.Chosen.Order()]));

    [Fact]
    public void The_combined_output() => Answers.To(Questions.CombinedOutput)
        .Right("float, backwards", t => [.. t.Outputs[0].Select((_, i) => Enumerable.Range(0,
            t.Weights.Length).Reverse().Sum(j => (t.Kept[j] ? 1f : 0) * (float)t.Weights[j] * (float)t.Outputs[j][i]))])
        .Wrong("dropped ones too", t => [.. t.Outputs[0].Select((_, i) => Enumerable.Range(0, t.Weights.Length).Sum(j => t.Weights[j] * t.Outputs[j][i]))])
        .Wrong("renormalised", t => [.. t.Outputs[0].Select((_, i) => Enumerable.Range(0, t.Weights.Length).Where(j => t.Kept[j])
            .Sum(j => t.Weights[j] * t.Outputs[j][i] / Enumerable.Range(0, t.Weights.Length).Where(l => t.Kept[l]).Sum(l => t.Weights[l])))])
        .Wrong("no weights", t => [.. t.Outputs[0].Select((_, i) => Enumerable.Range(0, t.Weights.Length).Where(j => t.Kept[j]).Sum(j => t.Outputs[j][i]))])
        .Wrong("nothing when all are dropped", t => t.Kept.Contains(true) ? [.. t.Outputs[0].Select((_, i) => Enumerable.Range(0,
            t.Weights.Length).Where(j => t.Kept[j]).Sum(j => t.Weights[j] * t.Outputs[j][i]))] : []);

    [Fact]
    public void The_slots_of_an_expert() => Answers.To(Questions.SlotsOfAnExpert)
        .Right("the mean load first", l => (long)Math.Ceiling(l.Factor * ((double)(l.Tokens * l.ExpertsPerToken) / l.Experts)))
        .Right("float", l => (long)MathF.Ceiling((float)l.Factor * l.Tokens * l.ExpertsPerToken / l.Experts))
        .Right("in quarters", l => ((long)(4 * l.Factor) * l.Tokens * l.ExpertsPerToken + 4 * l.Experts - 1) / (4 * l.Experts))
        .Right("int", l => (int)Math.Ceiling(l.Factor * (int)l.Tokens * (int)l.ExpertsPerToken / (int)l.Experts))
        .Wrong("rounded down first", l => (long)Math.Ceiling(l.Factor * (l.Tokens * l.ExpertsPerToken / l.Experts)))
        .Wrong("rounded up twice", l => (long)Math.Ceiling(l.Factor * Math.Ceiling((double)l.Tokens * l.ExpertsPerToken / l.Experts)))
        .Wrong("rounded down", l => (long)(l.Factor * l.Tokens * l.ExpertsPerToken / l.Experts))
        .Wrong("rounded down, and one", l => (long)(l.Factor * l.Tokens * l.ExpertsPerToken / l.Experts) + 1)
        .Wrong("to the nearest", l => (long)Math.Round(l.Factor * l.Tokens * l.ExpertsPerToken / l.Experts))
        .Wrong("no factor", l => (l.Tokens * l.ExpertsPerToken + l.Experts - 1) / l.Experts);

    [Fact]
    public void Who_comes_late_is_dropped() => Answers.To(Questions.DroppedByPosition)
        .Right("by rank", q => [.. Enumerable.Range(0, q.Chosen.Length).Where(i => q.Chosen.Take(i).Count(e => e == q.Chosen[i]) >= q.Capacity)])
        .Wrong("one more has room", q => [.. Enumerable.Range(0, q.Chosen.Length).Where(i => q.Chosen.Take(i).Count(e => e == q.Chosen[i]) > q.Capacity)])
        .Wrong("the first go", q => [.. Enumerable.Range(0, q.Chosen.Length).Where(i => q.Chosen.Skip(i + 1).Count(e => e == q.Chosen[i]) >= q.Capacity)])
        .Wrong("who is kept", q => [.. Enumerable.Range(0, q.Chosen.Length).Where(i => q.Chosen.Take(i).Count(e => e == q.Chosen[i]) < q.Capacity)])
        .Wrong("nobody", _ => []);

    [Fact]
    public void First_choices_come_before_second_ones() => Answers.To(Questions.KeptOfTwoChoices)
        .Right("the library's", b =>
        {
            var tokens = b.First.Length;
            var logits = TorchSharp.torch.zeros(tokens, b.Experts);
            long[] choices = [.. b.First.Zip(b.Second, (first, second) => new[] { (long)first, second }).SelectMany(both => both)];
            var experts = TorchSharp.torch.tensor(choices, [tokens, 2]);
            var routing = RoutingDecision.TopK(new(TorchSharp.torch.zeros(1, tokens, 1)), logits, logits, experts, TorchSharp.torch.ones(tokens, 2));
            var kept = new ExpertCapacity((double)b.Capacity * b.Experts / (2 * tokens) * (1 - 1e-12)).Apply(routing).Kept.data<bool>().ToArray();
            return [.. kept.Chunk(2).Select(both => both.Count(one => one))];
        })
        .Wrong("token after token", b => Queued(b, b.First.Zip(b.Second, (first, second) => new[] { first, second }).SelectMany(both => both), i => i / 2))
        .Wrong("second ones first", b => Queued(b, [.. b.Second, .. b.First], i => i % b.First.Length))
        .Wrong("a room for each choice", b => [.. Queued(b, b.First, i => i).Zip(Queued(b, b.Second, i => i), (first, second) => first + second)])
        .Wrong("first ones only", b => Queued(b, b.First, i => i))
        .Wrong("everything", b => [.. b.First.Select(_ => 2)]);

    [Fact]
    public void The_operations_of_a_layer() => Answers.To(Questions.MoeLayerOperations)
        .Right("twice the active weights", l => 2 * l.Tokens * (l.Hidden * l.Experts + 3 * l.Hidden * l.IntermediateSize * l.ExpertsPerToken + 3 * l.Hidden * l.SharedSize))
        .Right("double", l => (long)(2.0 * l.Tokens * l.Hidden * (l.Experts + 3.0 * l.IntermediateSize * l.ExpertsPerToken + 3.0 * l.SharedSize)))
        .Wrong("int", l => 2 * (int)l.Tokens * (int)l.Hidden * ((int)l.Experts + 3 * ((int)l.IntermediateSize * (int)l.ExpertsPerToken + (int)l.SharedSize)))
        .Wrong("no router", l => 2 * l.Tokens * 3 * l.Hidden * (l.IntermediateSize * l.ExpertsPerToken + l.SharedSize))
        .Wrong("no shared expert", l => 2 * l.Tokens * l.Hidden * (l.Experts + 3 * l.IntermediateSize * l.ExpertsPerToken))
        .Wrong("k shared experts", l => 2 * l.Tokens * l.Hidden * (l.Experts + 3 * l.ExpertsPerToken * (l.IntermediateSize + l.SharedSize)))
        .Wrong("multiplications", l => l.Tokens * l.Hidden * (l.Experts + 3 * (l.IntermediateSize * l.ExpertsPerToken + l.SharedSize)))
        .Wrong("one token", l => 2 * l.Hidden * (l.Experts + 3 * (l.IntermediateSize * l.ExpertsPerToken + l.SharedSize)));

    [Fact]
    public void The_expected_dropped_share() => Answers.To(Questions.ExpectedDroppedShare)
        .Right("float, by binomial coefficients", b => (float)b.Experts / b.Tokens * Enumerable.Range(b.Capacity,
            b.Tokens - b.Capacity + 1).Sum(n => (n - b.Capacity) * (float)Binomial(b.Tokens, n, 1.0 / b.Experts)))
        .Right("float, from one to the next", b =>
        {
            float p = 1f / b.Experts, probability = MathF.Pow(1 - p, b.Tokens), dropped = 0;
            for (var n = 0; n <= b.Tokens; n++)
            {
                if (n > b.Capacity) dropped += (n - b.Capacity) * probability;
                probability *= (b.Tokens - n) / (n + 1f) * p / (1 - p);
            }
            return b.Experts * dropped / b.Tokens;
        })
        .Wrong("of one expert",
            b => 1.0 / b.Tokens * Enumerable.Range(b.Capacity, b.Tokens - b.Capacity + 1).Sum(n => (n - b.Capacity) * Binomial(b.Tokens, n, 1.0 / b.Experts)))
        .Wrong("the chance to drop", b => Enumerable.Range(b.Capacity + 1, b.Tokens - b.Capacity).Sum(n => Binomial(b.Tokens, n, 1.0 / b.Experts)))
        .Wrong("the even load", b => Math.Max(0, 1 - b.Capacity * (double)b.Experts / b.Tokens))
        .Wrong("a Poisson load", b => (double)b.Experts / b.Tokens * Enumerable.Range(b.Capacity,
            60).Sum(n => (n - b.Capacity) * MathNet.Numerics.Distributions.Poisson.PMF((double)b.Tokens / b.Experts, n)));

    [Fact]
    public void The_gradient_of_the_chosen() => Answers.To(Questions.TopOneGradient)
        .Right("float", r =>
        {
            float[] p = [.. r.Logits.Select(z => MathF.Exp((float)z) / r.Logits.Sum(y => MathF.Exp((float)y)))];
            return [.. p.Select((pj, j) => p[r.Chosen] * ((j == r.Chosen ? 1 : 0) - pj))];
        })
        .Right("by cases", r => [.. Softmax(r.Logits).Select((p, j) => j == r.Chosen ? p * (1 - p) : -p * Softmax(r.Logits)[r.Chosen])])
        .Wrong("of the logarithm", r => [.. Softmax(r.Logits).Select((p, j) => (j == r.Chosen ? 1 : 0) - p)])
        .Wrong("the diagonal", r => [.. Softmax(r.Logits).Select(p => p * (1 - p))])
        .Wrong("down", r => [.. Softmax(r.Logits).Select((p, j) => Softmax(r.Logits)[r.Chosen] * (p - (j == r.Chosen ? 1 : 0)))])
        .Wrong("of the others only", r => [.. Softmax(r.Logits).Select((p, j) => j == r.Chosen ? 0 : -p * Softmax(r.Logits)[r.Chosen])]);

    [Fact]
    public void The_effective_experts() => Answers.To(Questions.EffectiveExperts)
        .Right("float", n => MathF.Exp(-n.Where(x => x > 0).Sum(x => (float)x / n.Sum() * MathF.Log((float)x / n.Sum()))))
        .Right("powers of two", n => Math.Pow(2, -n.Where(x => x > 0).Sum(x => (double)x / n.Sum() * Math.Log2((double)x / n.Sum()))))
        .Wrong("an empty expert is not left out", n => Math.Exp(-n.Sum(x => (double)x / n.Sum() * Math.Log((double)x / n.Sum()))))
        .Wrong("the inverse sum of squares", n => 1 / n.Sum(x => Math.Pow((double)x / n.Sum(), 2)))
        .Wrong("the entropy", n => -n.Where(x => x > 0).Sum(x => (double)x / n.Sum() * Math.Log((double)x / n.Sum())))
        .Wrong("bits", n => Math.Exp(-n.Where(x => x > 0).Sum(x => (double)x / n.Sum() * Math.Log2((double)x / n.Sum()))))
        .Wrong("those in use", n => n.Count(x => x > 0));

    [Fact]
    public void What_the_capacity_drops() => Answers.To(Questions.DroppedAtCapacity)
        .Right("float", l => l.Load.Sum(n => MathF.Max(0, n - MathF.Ceiling((float)l.CapacityFactor * l.Load.Sum() / l.Load.Length))) / l.Load.Sum())
        .Right("what is kept", l => 1 - l.Load.Sum(n => Math.Min(n, Math.Ceiling(l.CapacityFactor * ((double)l.Load.Sum() / l.Load.Length)))) / l.Load.Sum())
        .Wrong("rounded down first", l => l.Load.Sum(n => Math.Max(0, n - Math.Ceiling(l.CapacityFactor * (l.Load.Sum() / l.Load.Length)))) / l.Load.Sum())
        .Wrong("rounded down", l => l.Load.Sum(n => Math.Max(0, n - Math.Floor(l.CapacityFactor * l.Load.Sum() / l.Load.Length))) / l.Load.Sum())
        .Wrong("no rounding", l => l.Load.Sum(n => Math.Max(0, n - l.CapacityFactor * l.Load.Sum() / l.Load.Length)) / l.Load.Sum())
        .Wrong("no factor", l => l.Load.Sum(n => Math.Max(0, n - Math.Ceiling((double)l.Load.Sum() / l.Load.Length))) / l.Load.Sum())
        .Wrong("the busiest only", l => l.Load.Sum(n => Math.Max(0, n - Math.Ceiling(l.CapacityFactor * l.Load.Sum() / l.Load.Length))));

    [Fact]
    public void The_slowest_device() => Answers.To(Questions.SlowestDevice)
        .Right("float", l => l.Load.Chunk(l.Load.Length / l.Devices).Max(d => d.Sum()) / ((float)l.Load.Sum() / l.Devices))
        .Right("against the mean", l => l.Load.Chunk(l.Load.Length / l.Devices).Max(d => d.Sum()) / l.Load.Chunk(l.Load.Length / l.Devices).Average(d => d.Sum()))
        .Wrong("the busiest expert", l => l.Load.Max() * (double)l.Load.Length / l.Load.Sum())
        .Wrong("in turn", l => Enumerable.Range(0, l.Devices).Max(d => l.Load.Where((_, e) => e % l.Devices == d).Sum()) * (double)l.Devices / l.Load.Sum())
        .Wrong("groups of devices", l => l.Load.Chunk(l.Devices).Max(d => d.Sum()) * (double)l.Devices / l.Load.Sum())
        .Wrong("a share", l => l.Load.Chunk(l.Load.Length / l.Devices).Max(d => d.Sum()) / (double)l.Load.Sum())
        .Wrong("dividing integers", l => l.Load.Chunk(l.Load.Length / l.Devices).Max(d => d.Sum()) / (l.Load.Sum() / l.Devices));

    [Fact]
    public void The_step_of_the_biases() => Answers.To(Questions.BiasUpdate)
        .Right("float", s => Moved(s, n => MathF.Sign((float)s.Load.Sum() / s.Load.Length - n)))
        .Right("multiplied out", s => Moved(s, n => Math.Sign(s.Load.Sum() - n * s.Load.Length)))
        .Right("in place", s =>
        {
            for (var e = 0; e < s.Biases.Length; e++) s.Biases[e] += s.Rate * s.Load.Average().CompareTo(s.Load[e]);
            return s.Biases;
        })
        .Wrong("equal goes down", s => Moved(s, n => n < s.Load.Average() ? 1 : -1))
        .Wrong("equal goes up", s => Moved(s, n => n <= s.Load.Average() ? 1 : -1))
        .Wrong("an integer mean", s => Moved(s, n => Math.Sign(s.Load.Sum() / s.Load.Length - n)))
        .Wrong("the wrong way", s => Moved(s, n => Math.Sign(n - s.Load.Average())))
        .Wrong("in proportion", s => Moved(s, n => s.Load.Average() - n))
        .Wrong("unchanged", s => s.Biases);

    [Fact]
    public void Chosen_with_the_bias_weighed_without() => Answers.To(Questions.BiasedChoice)
        .Right("float", t => Weighed(Best([.. t.Scores.Zip(t.Biases, (score, bias) => (double)((float)score + (float)bias))], t.ExpertsPerToken), t.Scores))
        .Wrong("chosen without", t => Weighed(Best(t.Scores, t.ExpertsPerToken), t.Scores))
        .Wrong("weighed with", t => Weighed(Best([.. t.Scores.Zip(t.Biases, (score, bias) => score + bias)], t.ExpertsPerToken),
            [.. t.Scores.Zip(t.Biases, (score, bias) => score + bias)]))
        .Wrong("in order of their numbers", t => Weighed([.. Best([.. t.Scores.Zip(t.Biases, (score, bias) => score + bias)], t.ExpertsPerToken).Order()], t.Scores))
        .Wrong("not divided", t => Best([.. t.Scores.Zip(t.Biases, (score, bias) => score + bias)], t.ExpertsPerToken) is var best ? (best,
            [.. best.Select(e => t.Scores[e])]) : default)
        .Wrong("a softmax", t => Weighed(Best([.. t.Scores.Zip(t.Biases, (score, bias) => score + bias)], t.ExpertsPerToken), [.. t.Scores.Select(Math.Exp)]));

    [Fact]
    public void The_z_loss() => Answers.To(Questions.RouterZLoss)
        .Right("float", l => l.Average(t => MathF.Pow(MathF.Log(t.Sum(z => MathF.Exp((float)z))), 2)))
        .Right("shifted", l => l.Average(t => Math.Pow(t.Max() + Math.Log(t.Sum(z => Math.Exp(z - t.Max()))), 2)))
        .Wrong("the square of the mean", l => Math.Pow(l.Average(t => Math.Log(t.Sum(Math.Exp))), 2))
        .Wrong("the sum", l => l.Sum(t => Math.Pow(Math.Log(t.Sum(Math.Exp)), 2)))
        .Wrong("no square", l => l.Average(t => Math.Log(t.Sum(Math.Exp))))
        .Wrong("the mean of the exponentials", l => l.Average(t => Math.Pow(Math.Log(t.Average(Math.Exp)), 2)))
        .Wrong("bits", l => l.Average(t => Math.Pow(Math.Log2(t.Sum(Math.Exp)), 2)));

    [Fact]
    public void The_gradient_of_the_auxiliary_loss() => Answers.To(Questions.BalancingGradient)
        .Right("float", b => [.. Enumerable.Range(0, b.Experts).Select(e => b.Experts * ((float)b.Chosen.Count(c => c == e) / b.Chosen.Length))])
        .Wrong("f", b => [.. Enumerable.Range(0, b.Experts).Select(e => (double)b.Chosen.Count(c => c == e) / b.Chosen.Length)])
        .Wrong("dividing integers", b => [.. Enumerable.Range(0, b.Experts).Select(e => (double)(b.Experts * b.Chosen.Count(c => c == e) / b.Chosen.Length))])
        .Wrong("counts", b => [.. Enumerable.Range(0, b.Experts).Select(e => (double)b.Experts * b.Chosen.Count(c => c == e))])
        .Wrong("less the mean", b => [.. Enumerable.Range(0, b.Experts).Select(e => (double)b.Experts * b.Chosen.Count(c => c == e) / b.Chosen.Length - 1)]);

    private static double[] LossGradient((double[] Probabilities, double[] Shares, int Tokens) token, double factor) =>
        [.. token.Probabilities.Zip(token.Shares, (p, f) => factor * p * (f - token.Probabilities.Zip(token.Shares, (q, g) => q * g).Sum()))];

    private static int[] Queued((int[] First, int[] Second, int Experts, int Capacity) batch, IEnumerable<int> queue, Func<int, int> token)
    {
        int[] taken = new int[batch.Experts], kept = new int[batch.First.Length];
        foreach (var (i, expert) in queue.Index())
            if (taken[expert]++ < batch.Capacity) kept[token(i)]++;
        return kept;
    }

    private static int[] Best(double[] values, int k) => [.. Enumerable.Range(0, values.Length).OrderByDescending(i => values[i]).Take(k)];

    private static (int[], double[]) Weighed(int[] experts, double[] scores) =>
        (experts, [.. experts.Select(e => scores[e] / experts.Sum(other => scores[other]))]);

    private static double[] Softmax(double[] logits) => [.. logits.Select(z => Math.Exp(z) / logits.Sum(Math.Exp))];

    private static int[] Loads((int[] Experts, int ExpertCount) batch) =>
        [.. Enumerable.Range(0, batch.ExpertCount).Select(e => batch.Experts.Count(chosen => chosen == e))];

    private static double SwitchLoss((int[] Experts, double[][] Probabilities) batch, bool f, bool p) =>
        batch.Probabilities[0].Length * Enumerable.Range(0, batch.Probabilities[0].Length).Sum(e =>
    {
        float share = (float)batch.Experts.Count(chosen => chosen == e) / batch.Experts.Length, mean = batch.Probabilities.Average(row => (float)row[e]);
        return (f ? share : mean) * (p ? mean : share);
    });

    private static int[] Hashed((long[] TokenIds, int ExpertCount) batch, Func<long, ulong> hash) => [.. batch.TokenIds.Select(id => (int)hash(id))];

    private static ulong Mixed(long number)
    {
        unchecked
        {
            var z = (ulong)number * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    private static double[] Moved((double[] Biases, long[] Load, double Rate) step, Func<long, double> direction) =>
        [.. step.Biases.Zip(step.Load, (bias, load) => bias + step.Rate * direction(load))];

    private static double Binomial(int trials, int n, double p) =>
        MathNet.Numerics.SpecialFunctions.Binomial(trials, n) * Math.Pow(p, n) * Math.Pow(1 - p, trials - n);
}
