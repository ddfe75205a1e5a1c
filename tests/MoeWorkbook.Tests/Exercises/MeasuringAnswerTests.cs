using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>Chapters 05, 08, 09 and 11: answers in every arithmetic that a learner may use pass, and no wrong one does.</summary>
public sealed class MeasuringAnswerTests
{
    [Fact]
    public void Tokens_a_second() => Answers.To(Questions.TokensPerSecond)
        .Right("bytes first", m => m.GigabytesPerSecond * 8 / m.BitsPerWeight / m.ActiveBillions)
        .Right("float", m => (float)m.GigabytesPerSecond / ((float)m.ActiveBillions * m.BitsPerWeight / 8))
        .Right("in bytes, float", m => (float)m.GigabytesPerSecond * 1e9f / ((float)m.ActiveBillions * 1e9f * m.BitsPerWeight / 8f))
        .Wrong("whole bytes of a weight", m => m.GigabytesPerSecond / (m.ActiveBillions * (m.BitsPerWeight / 8)))
        .Wrong("bits", m => m.GigabytesPerSecond / (m.ActiveBillions * m.BitsPerWeight))
        .Wrong("parameters", m => m.GigabytesPerSecond / m.ActiveBillions)
        .Wrong("seconds a token", m => m.ActiveBillions * m.BitsPerWeight / 8 / m.GigabytesPerSecond);

    [Fact]
    public void The_roofline() => Answers.To(Questions.RooflineTime)
        .Right("float", w => (1000 * MathF.Max((float)w.Gigabytes / (float)w.GigabytesPerSecond, (float)w.Gigaflops / (float)w.GigaflopsPerSecond),
            (float)w.Gigabytes / (float)w.GigabytesPerSecond > (float)w.Gigaflops / (float)w.GigaflopsPerSecond))
        .Right("by the intensity", w => w.Gigaflops / w.Gigabytes < w.GigaflopsPerSecond / w.GigabytesPerSecond ? (w.Gigabytes * 1000 / w.GigabytesPerSecond,
            true) : (w.Gigaflops * 1000 / w.GigaflopsPerSecond, false))
        .Wrong("never waits", w => (1000 * Math.Max(w.Gigabytes / w.GigabytesPerSecond, w.Gigaflops / w.GigaflopsPerSecond), false))
        .Wrong("always waits", w => (1000 * Math.Max(w.Gigabytes / w.GigabytesPerSecond, w.Gigaflops / w.GigaflopsPerSecond), true))
        .Wrong("one after the other", w => (1000 * (w.Gigabytes / w.GigabytesPerSecond + w.Gigaflops / w.GigaflopsPerSecond),
            w.Gigabytes / w.GigabytesPerSecond > w.Gigaflops / w.GigaflopsPerSecond))
        .Wrong("seconds", w => (Math.Max(w.Gigabytes / w.GigabytesPerSecond, w.Gigaflops / w.GigaflopsPerSecond),
            w.Gigabytes / w.GigabytesPerSecond > w.Gigaflops / w.GigaflopsPerSecond))
        .Wrong("reading only", w => (1000 * w.Gigabytes / w.GigabytesPerSecond, w.Gigabytes / w.GigabytesPerSecond > w.Gigaflops / w.GigaflopsPerSecond))
        .Wrong("arithmetic only", w => (1000 * w.Gigaflops / w.GigaflopsPerSecond, w.Gigabytes / w.GigabytesPerSecond > w.Gigaflops / w.GigaflopsPerSecond));

    [Fact]
    public void The_advantage_in_bytes() => Answers.To(Questions.BytesAdvantage)
        .Right("the formula", l => 1 / (1 - Math.Pow(1 - (double)l.ExpertsPerToken / l.Experts, l.Tokens)))
        .Right("float", l => 1 / (1 - MathF.Pow(1 - (float)l.ExpertsPerToken / l.Experts, l.Tokens)))
        .Wrong("one token", l => (double)l.Experts / l.ExpertsPerToken)
        .Wrong("no two meet", l => l.Experts / (double)Math.Min(l.Experts, l.ExpertsPerToken * l.Tokens))
        .Wrong("the share", l => 1 - Math.Pow(1 - (double)l.ExpertsPerToken / l.Experts, l.Tokens))
        .Wrong("dividing integers", l => 1 / (1 - Math.Pow(1 - l.ExpertsPerToken / l.Experts, l.Tokens)));

    [Fact]
    public void Where_arithmetic_takes_over() => Answers.To(Questions.ComputeBoundFrom)
        .Right("by times", m =>
        {
            double read = m.BitsPerWeight / 8.0 / (m.GigabytesPerSecond * 1e9), compute = 2 / (m.GigaflopsPerSecond * 1e9);
            return ((long)Math.Ceiling(read / compute), (long)Math.Ceiling(read / (compute * m.ExpertsPerToken / m.Experts)));
        })
        .Right("by times, float", m =>
        {
            float read = m.BitsPerWeight / 8 / ((float)m.GigabytesPerSecond * 1e9f), compute = 2 / ((float)m.GigaflopsPerSecond * 1e9f);
            return ((long)MathF.Ceiling(read / compute), (long)MathF.Ceiling(read / compute * m.Experts / m.ExpertsPerToken));
        })
        .Right("by multiplying out", m => ((long)Math.Ceiling(m.GigaflopsPerSecond * m.BitsPerWeight / (16 * m.GigabytesPerSecond)),
            (long)Math.Ceiling(m.GigaflopsPerSecond * m.BitsPerWeight * m.Experts / (16 * m.GigabytesPerSecond * m.ExpertsPerToken))))
        .Right("by trying, in int", m =>
        {
            int dense = 1, moe = 1;
            while (dense * 16 * (int)m.GigabytesPerSecond < (int)m.GigaflopsPerSecond * m.BitsPerWeight) dense++;
            while (moe * m.ExpertsPerToken * 16 * (int)m.GigabytesPerSecond < (int)m.GigaflopsPerSecond * m.BitsPerWeight * m.Experts) moe++;
            return (dense, moe);
        })
        .Wrong("rounded down, and one", m => ((long)(Ridge(m) * m.BitsPerWeight / 16) + 1, (long)(Ridge(m) * m.BitsPerWeight / 16 * m.Experts / m.ExpertsPerToken) + 1))
        .Wrong("rounded down", m => ((long)(Ridge(m) * m.BitsPerWeight / 16), (long)(Ridge(m) * m.BitsPerWeight / 16 * m.Experts / m.ExpertsPerToken)))
        .Wrong("to the nearest", m => ((long)Math.Round(Ridge(m) * m.BitsPerWeight / 16), (long)Math.Round(Ridge(m) * m.BitsPerWeight / 16 * m.Experts / m.ExpertsPerToken)))
        .Wrong("rounded before the experts",
            m => ((long)Math.Ceiling(Ridge(m) * m.BitsPerWeight / 16), (long)Math.Ceiling(Ridge(m) * m.BitsPerWeight / 16) * m.Experts / m.ExpertsPerToken))
        .Wrong("one operation",
            m => ((long)Math.Ceiling(Ridge(m) * m.BitsPerWeight / 8), (long)Math.Ceiling(Ridge(m) * m.BitsPerWeight / 8 * m.Experts / m.ExpertsPerToken)))
        .Wrong("as for dense", m => ((long)Math.Ceiling(Ridge(m) * m.BitsPerWeight / 16), (long)Math.Ceiling(Ridge(m) * m.BitsPerWeight / 16)));

    [Fact]
    public void The_ratio_within_rounds() => Answers.To(Questions.PairedRatio)
        .Right("float, sorted in place", t =>
        {
            float[] ratios = [.. t.Slower.Zip(t.Faster, (slower, faster) => (float)slower / (float)faster)];
            Array.Sort(ratios);
            return ratios[ratios.Length / 2];
        })
        .Wrong("of the medians", t => t.Slower.Order().ElementAt(t.Slower.Length / 2) / t.Faster.Order().ElementAt(t.Faster.Length / 2))
        .Wrong("the mean", t => t.Slower.Zip(t.Faster, (slower, faster) => slower / faster).Average())
        .Wrong("the other way", t => t.Faster.Zip(t.Slower, (faster, slower) => faster / slower).Order().ElementAt(t.Slower.Length / 2))
        .Wrong("the middle round", t => t.Slower[t.Slower.Length / 2] / t.Faster[t.Faster.Length / 2]);

    [Fact]
    public void The_mutual_information() => Answers.To(Questions.MutualInformation)
        .Right("float", c => Information(c, MathF.Log))
        .Right("from entropies", c => Entropy(c.Select(row => row.Sum())) + Entropy(c[0].Select((_, e) => c.Sum(row => row[e]))) - Entropy(c.SelectMany(row => row)))
        .Wrong("bits", c => Information(c, MathF.Log2))
        .Wrong("the joint entropy", c => Entropy(c.SelectMany(row => row)))
        .Wrong("a cell without tokens", c => c.SelectMany((row, d) => row.Select((n,
            e) => (double)n / c.Sum(r => r.Sum()) * Math.Log((double)n * c.Sum(r => r.Sum()) / (row.Sum() * (double)c.Sum(r => r[e]))))).Sum())
        .Wrong("counts for shares", c => Information(c, MathF.Log) * c.Sum(row => row.Sum()))
        .Wrong("nothing", _ => 0);

    [Fact]
    public void The_information_beyond_the_byte() => Answers.To(Questions.ConditionalInformation)
        .Right("weighted, float", t => t.Sum(c => (float)c.Sum(row => row.Sum()) / t.Sum(table => table.Sum(row => row.Sum())) * (float)Information(c, MathF.Log)))
        .Wrong("not weighted", t => t.Average(c => Information(c, MathF.Log)))
        .Wrong("pooled", t => Information([.. t[0].Select((row, d) => row.Select((_, e) => t.Sum(table => table[d][e])).ToArray())], MathF.Log))
        .Wrong("summed", t => t.Sum(c => Information(c, MathF.Log)))
        .Wrong("bits", t => t.Sum(c => (double)c.Sum(row => row.Sum()) / t.Sum(table => table.Sum(row => row.Sum())) * Information(c, MathF.Log2)));

    [Fact]
    public void The_corrected_entropy() => Answers.To(Questions.CorrectedEntropy)
        .Right("float", c => (float)Entropy(c) + (c.Count(n => n > 0) - 1f) / (2 * c.Sum()))
        .Wrong("dividing integers", c => Entropy(c) + (c.Count(n => n > 0) - 1) / (2 * c.Sum()))
        .Wrong("every label counts", c => Entropy(c) + (c.Length - 1) / (2.0 * c.Sum()))
        .Wrong("not corrected", c => Entropy(c))
        .Wrong("m, not m − 1", c => Entropy(c) + c.Count(n => n > 0) / (2.0 * c.Sum()))
        .Wrong("the wrong way", c => Entropy(c) - (c.Count(n => n > 0) - 1) / (2.0 * c.Sum()))
        .Wrong("a label without tokens", c => -c.Sum(n => (double)n / c.Sum() * Math.Log((double)n / c.Sum())) + (c.Count(n => n > 0) - 1) / (2.0 * c.Sum()));

    [Fact]
    public void Routing_without_an_expert() => Answers.To(Questions.RouteWithout)
        .Right("float, −∞", t =>
        {
            t.Logits[t.Removed] = double.NegativeInfinity;
            return Weighed(Best(t.Logits, t.ExpertsPerToken), e => MathF.Exp((float)t.Logits[e]));
        })
        .Wrong("it is still there", t => Weighed(Best(t.Logits, t.ExpertsPerToken), e => Math.Exp(t.Logits[e])))
        .Wrong("silent", t => Weighed(Best(t.Logits, t.ExpertsPerToken), e => e == t.Removed ? 0 : Math.Exp(t.Logits[e])))
        .Wrong("numbered anew",
            t => (double[])[.. t.Logits.Where((_, e) => e != t.Removed)] is var left ? Weighed(Best(left, t.ExpertsPerToken), e => Math.Exp(left[e])) : default)
        .Wrong("one fewer", t => Weighed([.. Best(t.Logits, t.ExpertsPerToken).Where(e => e != t.Removed)], e => Math.Exp(t.Logits[e])))
        .Wrong("a logit of 0", t =>
        {
            t.Logits[t.Removed] = 0;
            return Weighed(Best(t.Logits, t.ExpertsPerToken), e => Math.Exp(t.Logits[e]));
        })
        .Wrong("not renormalised", t =>
        {
            t.Logits[t.Removed] = double.NegativeInfinity;
            var best = Best(t.Logits, t.ExpertsPerToken);
            return (best, [.. best.Select(e => Math.Exp(t.Logits[e]) / t.Logits.Sum(Math.Exp))]);
        });

    [Fact]
    public void The_share_of_a_plane() => Answers.To(Questions.ExplainedByPlane)
        .Right("float", v => ((float)v[0] * (float)v[0] + (float)v[1] * (float)v[1]) / v.Sum(s => (float)s * (float)s))
        .Right("less the rest", v => 1 - v.Skip(2).Sum(s => s * s) / v.Sum(s => s * s))
        .Wrong("no squares", v => v.Take(2).Sum() / v.Sum())
        .Wrong("one axis", v => v[0] * v[0] / v.Sum(s => s * s))
        .Wrong("the root", v => Math.Sqrt(v.Take(2).Sum(s => s * s) / v.Sum(s => s * s)));

    [Fact]
    public void Experts_of_equal_cost() => Answers.To(Questions.EqualActiveExperts)
        .Right("the formula", l => (l.FeedForward / l.ExpertsPerToken, 3 * l.Hidden * (l.FeedForward / l.ExpertsPerToken) * l.Experts, 3 * l.Hidden * l.FeedForward))
        .Right("int", l => ((int)l.FeedForward / (int)l.ExpertsPerToken, 3 * (int)l.Hidden * ((int)l.FeedForward / (int)l.ExpertsPerToken) * (int)l.Experts,
            3 * (int)l.Hidden * (int)l.FeedForward))
        .Wrong("whole experts", l => (l.FeedForward, 3 * l.Hidden * l.FeedForward * l.Experts, 3 * l.Hidden * l.FeedForward * l.ExpertsPerToken))
        .Wrong("split by E", l => (l.FeedForward / l.Experts, 3 * l.Hidden * l.FeedForward, 3 * l.Hidden * l.FeedForward * l.ExpertsPerToken / l.Experts))
        .Wrong("two matrices", l => (l.FeedForward / l.ExpertsPerToken, 2 * l.Hidden * (l.FeedForward / l.ExpertsPerToken) * l.Experts, 2 * l.Hidden * l.FeedForward))
        .Wrong("active of one expert", l => (l.FeedForward / l.ExpertsPerToken, 3 * l.Hidden * (l.FeedForward / l.ExpertsPerToken) * l.Experts,
            3 * l.Hidden * (l.FeedForward / l.ExpertsPerToken)));

    [Fact]
    public void The_step_at_which_a_curve_meets_a_loss() => Answers.To(Questions.StepsToLoss)
        .Right("float", c => Crossing(c, loss => loss <= c.Target, first: true, begin: c.Steps[0]))
        .Right("point by point", c =>
        {
            for (var i = 0; i < c.Losses.Length; i++)
            {
                if (c.Losses[i] > c.Target) continue;
                return i == 0 ? c.Steps[0] : c.Steps[i] - (c.Target - c.Losses[i]) / (c.Losses[i - 1] - c.Losses[i]) * (c.Steps[i] - c.Steps[i - 1]);
            }
            return -1;
        })
        .Wrong("0 before the first point", c => Crossing(c, loss => loss <= c.Target, first: true, begin: 0))
        .Wrong("below only", c => Crossing(c, loss => loss < c.Target, first: true, begin: c.Steps[0]))
        .Wrong("the last crossing", c => Crossing(c, loss => loss <= c.Target, first: false, begin: c.Steps[0]))
        .Wrong("the next point", c => Array.FindIndex(c.Losses, loss => loss <= c.Target) is >= 0 and var i ? c.Steps[i] : -1)
        .Wrong("the last step where it never is", c => Crossing(c, loss => loss <= c.Target, first: true, begin: c.Steps[0]) is >= 0 and var step ? step : c.Steps[^1]);

    [Fact]
    public void The_speed_up_by_the_clock() => Answers.To(Questions.WallClockSpeedUp)
        .Right("float", b => (float)b.DenseSteps / (float)b.SparseSteps * ((float)b.SparseTokensPerSecond / (float)b.DenseTokensPerSecond))
        .Right("by the clock", b => b.DenseSteps / b.DenseTokensPerSecond / (b.SparseSteps / b.SparseTokensPerSecond))
        .Wrong("steps", b => b.DenseSteps / b.SparseSteps)
        .Wrong("the other way", b => b.SparseSteps * b.DenseTokensPerSecond / (b.DenseSteps * b.SparseTokensPerSecond))
        .Wrong("seconds for rates", b => b.DenseSteps / b.SparseSteps * b.DenseTokensPerSecond / b.SparseTokensPerSecond);

    [Fact]
    public void The_combinations_of_experts() => Answers.To(Questions.ExpertCombinations)
        .Right("long, factor by factor", l => (Choose(l.Experts, l.ExpertsPerToken), Choose(l.Experts * l.Split, l.ExpertsPerToken * l.Split)))
        .Right("double factorials", l => (Factorials(l.Experts, l.ExpertsPerToken), Factorials(l.Experts * l.Split, l.ExpertsPerToken * l.Split)))
        .Right("float, factor by factor", l => (Floats(l.Experts, l.ExpertsPerToken), Floats(l.Experts * l.Split, l.ExpertsPerToken * l.Split)))
        .Wrong("in order", l => (Enumerable.Range(0, l.ExpertsPerToken).Aggregate(1.0, (n, i) => n * (l.Experts - i)),
            Enumerable.Range(0, l.ExpertsPerToken * l.Split).Aggregate(1.0, (n, i) => n * (l.Experts * l.Split - i))))
        .Wrong("as many chosen", l => (Choose(l.Experts, l.ExpertsPerToken), Choose(l.Experts * l.Split, l.ExpertsPerToken)))
        .Wrong("as many experts", l => (Choose(l.Experts, l.ExpertsPerToken), Choose(l.Experts, l.ExpertsPerToken * l.Split)))
        .Wrong("long factorials", l => (Overflowing(l.Experts, l.ExpertsPerToken), Overflowing(l.Experts * l.Split, l.ExpertsPerToken * l.Split)));

    [Fact]
    public void The_difference_of_pairs() => Answers.To(Questions.PairedDifference)
        .Right("float", l =>
        {
            float[] d = [.. l.One.Zip(l.Other, (one, other) => (float)one - (float)other)];
            var mean = d.Average();
            return (mean, MathF.Sqrt(d.Sum(x => (x - mean) * (x - mean)) / (d.Length - 1) / d.Length));
        })
        .Wrong("n", l => Differences(l) is var d ? (d.Average(), Math.Sqrt(d.Sum(x => (x - d.Average()) * (x - d.Average()))) / d.Length) : default)
        .Wrong("not of the mean", l => Differences(l) is var d ? (d.Average(), Math.Sqrt(d.Sum(x => (x - d.Average()) * (x - d.Average())) / (d.Length - 1))) : default)
        .Wrong("the other way",
            l => Differences(l) is var d ? (-d.Average(), Math.Sqrt(d.Sum(x => (x - d.Average()) * (x - d.Average())) / (d.Length - 1) / d.Length)) : default)
        .Wrong("not in pairs", l => (l.One.Average() - l.Other.Average(),
            Math.Sqrt((MathNet.Numerics.Statistics.Statistics.Variance(l.One) + MathNet.Numerics.Statistics.Statistics.Variance(l.Other)) / l.One.Length)));

    [Fact]
    public void Sums_that_keep_a_unit_busy() => Answers.To(Questions.IndependentSums)
        .Right("the product", u => u.LatencyCycles * u.PerCycle)
        .Right("int", u => (int)u.LatencyCycles * (int)u.PerCycle)
        .Wrong("the latency", u => u.LatencyCycles)
        .Wrong("the sum", u => u.LatencyCycles + u.PerCycle)
        .Wrong("divided", u => u.LatencyCycles / u.PerCycle);

    [Fact]
    public void A_bfloat16_number() => Answers.To(Questions.BFloat16ToFloat)
        .Right("shifted", b => BitConverter.UInt32BitsToSingle((uint)b << 16))
        .Right("from its parts", b => (b >> 15 == 0 ? 1 : -1) * (1 + (b & 0x7f) / 128.0) * Math.Pow(2, (b >> 7 & 0xff) - 127))
        .Wrong("half precision", b => (double)BitConverter.UInt16BitsToHalf((ushort)b))
        .Wrong("no sign", b => BitConverter.Int32BitsToSingle((b & 0x7fff) << 16))
        .Wrong("the integer", b => b)
        .Wrong("the lower half", b => BitConverter.Int32BitsToSingle(b));

    [Fact]
    public void A_quantised_row() => Answers.To(Questions.QuantizedRow)
        .Right("float", r =>
        {
            var scale = r.Max(w => MathF.Abs((float)w)) / 127;
            return (scale, [.. r.Select(w => (int)MathF.Round((float)w / scale))]);
        })
        .Right("rounded by hand", r =>
        {
            var scale = Math.Max(r.Max(), -r.Min()) / 127;
            return (scale, [.. r.Select(w => (int)Math.Floor(w / scale + 0.5))]);
        })
        .Wrong("no absolute value", r => (r.Max() / 127, [.. r.Select(w => (int)Math.Round(w / (r.Max() / 127)))]))
        .Wrong("the smallest for the largest", r => (-r.Min() / 127, [.. r.Select(w => (int)Math.Round(w / (-r.Min() / 127)))]))
        .Wrong("the first for the largest", r => (Math.Abs(r[0]) / 127, [.. r.Select(w => (int)Math.Round(w / (Math.Abs(r[0]) / 127)))]))
        .Wrong("cut off", r => (r.Max(Math.Abs) / 127, [.. r.Select(w => (int)(w / (r.Max(Math.Abs) / 127)))]))
        .Wrong("128", r => (r.Max(Math.Abs) / 128, [.. r.Select(w => (int)Math.Round(w / (r.Max(Math.Abs) / 128)))]))
        .Wrong("the range", r => ((r.Max() - r.Min()) / 254, [.. r.Select(w => (int)Math.Round(w / ((r.Max() - r.Min()) / 254)))]));

    [Fact]
    public void The_bits_of_a_weight() => Answers.To(Questions.BitsOfAWeight)
        .Right("float", f => f.Bits + (float)f.ScaleBits / f.GroupSize)
        .Right("of the group", f => (double)(f.Bits * f.GroupSize + f.ScaleBits) / f.GroupSize)
        .Wrong("dividing integers", f => f.Bits + f.ScaleBits / f.GroupSize)
        .Wrong("no scale", f => f.Bits)
        .Wrong("a scale each", f => f.Bits + f.ScaleBits);

    [Fact]
    public void What_limits_a_kernel() => Answers.To(Questions.KernelLimit)
        .Right("in bytes", k => Limit(k.MillionWeights * 1e6 * k.BitsPerWeight / 8 / (k.GigabytesPerSecond * 1e9) * 1000,
            k.MillionWeights * 1e6 / (k.Cores * k.Gigahertz * 1e9 * k.WeightsPerCycle) * 1000))
        .Right("in long", k => Limit(k.MillionWeights * 1_000_000 * k.BitsPerWeight / 8 / (k.GigabytesPerSecond * 1e9) * 1000,
            k.MillionWeights * 1_000_000 / (k.Cores * k.Gigahertz * 1e6 * k.WeightsPerCycle)))
        .Right("float",
            k => Limit(k.MillionWeights * k.BitsPerWeight / 8f / k.GigabytesPerSecond, k.MillionWeights / (k.Cores * (float)k.Gigahertz * k.WeightsPerCycle)))
        .Wrong("whole gigabytes", k => Limit(k.MillionWeights * k.BitsPerWeight / 8000 * 1000.0 / k.GigabytesPerSecond,
            k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)))
        .Wrong("whole milliseconds", k => Limit(k.MillionWeights * k.BitsPerWeight / 8 / k.GigabytesPerSecond, k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)))
        .Wrong("whole bytes of a weight",
            k => Limit(k.MillionWeights * (k.BitsPerWeight / 8) / (double)k.GigabytesPerSecond, k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)))
        .Wrong("a bandwidth each", k => Limit(k.MillionWeights * k.BitsPerWeight / 8.0 / k.GigabytesPerSecond / k.Cores,
            k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)))
        .Wrong("one core", k => Limit(k.MillionWeights * k.BitsPerWeight / 8.0 / k.GigabytesPerSecond, k.MillionWeights / (k.Gigahertz * k.WeightsPerCycle)))
        .Wrong("always waits", k => (Limit(k.MillionWeights * k.BitsPerWeight / 8.0 / k.GigabytesPerSecond,
            k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)).Milliseconds, true))
        .Wrong("never waits", k => (Limit(k.MillionWeights * k.BitsPerWeight / 8.0 / k.GigabytesPerSecond,
            k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)).Milliseconds, false))
        .Wrong("int", k => Limit((int)k.MillionWeights * 1_000_000 * (int)k.BitsPerWeight / 8 / ((int)k.GigabytesPerSecond * 1e6),
            k.MillionWeights / (k.Cores * k.Gigahertz * k.WeightsPerCycle)));

    private static (double Milliseconds, bool WaitsForMemory) Limit(double read, double unpack) => (Math.Max(read, unpack), read > unpack);

    private static double Ridge((double GigabytesPerSecond, double GigaflopsPerSecond, long BitsPerWeight, long Experts, long ExpertsPerToken) machine) =>
        machine.GigaflopsPerSecond / machine.GigabytesPerSecond;

    private static double Entropy(IEnumerable<int> counts) => -counts.Where(n => n > 0).Sum(n => (double)n / counts.Sum() * Math.Log((double)n / counts.Sum()));

    private static double Information(int[][] counts, Func<float, float> log) => counts.SelectMany(row => row.Select((n, e) => n == 0 ? 0 :
        (float)n / counts.Sum(r => r.Sum()) * log((float)n * counts.Sum(r => r.Sum()) / ((float)row.Sum() * counts.Sum(r => r[e]))))).Sum();

    private static int[] Best(double[] values, int k) => [.. Enumerable.Range(0, values.Length).OrderByDescending(i => values[i]).Take(k)];

    private static (int[], double[]) Weighed(int[] experts, Func<int, double> weight) => (experts, [.. experts.Select(e => weight(e) / experts.Sum(weight))]);

    private static double Crossing((double[] Steps, double[] Losses, double Target) curve, Predicate<double> there, bool first, double begin)
    {
        var i = first ? Array.FindIndex(curve.Losses, there)
            : Enumerable.Range(0, curve.Losses.Length).LastOrDefault(at => there(curve.Losses[at]) && (at == 0 || !there(curve.Losses[at - 1])), -1);
        if (i <= 0) return i < 0 ? -1 : begin;
        float before = (float)curve.Losses[i - 1], after = (float)curve.Losses[i];
        return (float)curve.Steps[i - 1] + (before - (float)curve.Target) / (before - after) * (float)(curve.Steps[i] - curve.Steps[i - 1]);
    }

    private static double[] Differences((double[] One, double[] Other) losses) => [.. losses.One.Zip(losses.Other, (one, other) => one - other)];

    private static long Choose(long n, long k)
    {
        long product = 1;
        for (long i = 1; i <= k; i++) product = product * (n - k + i) / i;
        return product;
    }

    private static float Floats(int n, int k)
    {
        float product = 1;
        for (var i = 1; i <= k; i++) product = product * (n - k + i) / i;
        return product;
    }

    private static double Factorials(int n, int k) => Enumerable.Range(1, n).Aggregate(1.0, (a, b) => a * b) / Enumerable.Range(1, k)
        .Aggregate(1.0, (a, b) => a * b) / Enumerable.Range(1, n - k).Aggregate(1.0, (a, b) => a * b);

    private static double Overflowing(int n, int k)
    {
        static long Factorial(int n) => Enumerable.Range(1, n).Aggregate(1L, (a, b) => unchecked(a * b));
        return Factorial(n) / (double)(Factorial(k) * Factorial(n - k));
    }
}
