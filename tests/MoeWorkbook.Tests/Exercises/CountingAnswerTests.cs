using TorchSharp;
using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>Chapters 00 to 02: answers in every arithmetic that a learner may use pass, and no wrong one does.</summary>
public sealed class CountingAnswerTests
{
    [Fact]
    public void The_softmax_may_be_shifted_and_in_single_precision() => Answers.To(Questions.Softmax)
        .Right("shifted", z => [.. z.Select(x => Math.Exp(x - z.Max()) / z.Sum(y => Math.Exp(y - z.Max())))])
        .Right("float", z => [.. z.Select(x => (double)(MathF.Exp((float)x) / z.Sum(y => MathF.Exp((float)y))))])
        .Wrong("the logits", z => z)
        .Wrong("not divided", z => [.. z.Select(Math.Exp)])
        .Wrong("powers of two", z => [.. z.Select(x => Math.Pow(2, x) / z.Sum(y => Math.Pow(2, y)))])
        .Wrong("divided by the largest", z => [.. z.Select(x => Math.Exp(x - z.Max()))])
        .Wrong("off in the fifth digit", z => [.. z.Select(x => 1.0002 * Math.Exp(x) / z.Sum(Math.Exp))])
        .Wrong("nothing", _ => null!);

    [Fact]
    public void The_shape_to_which_two_are_broadcast() => Answers.To(Questions.BroadcastShape)
        .Right("the library's", s => torch.ones(s.One).add(torch.ones(s.Other)).shape)
        .Right("padded with ones", s =>
        {
            var (one, other) = (s.One.Reverse().ToList(), s.Other.Reverse().ToList());
            while (one.Count < other.Count) one.Add(1);
            while (other.Count < one.Count) other.Add(1);
            return [.. one.Zip(other, Math.Max).Reverse()];
        })
        .Wrong("the first", s => s.One)
        .Wrong("the longer", s => s.One.Length > s.Other.Length ? s.One : s.Other)
        .Wrong("laid over each other from the left", s =>
            [.. Enumerable.Range(0, Math.Max(s.One.Length, s.Other.Length)).Select(i => Math.Max(s.One.ElementAtOrDefault(i), s.Other.ElementAtOrDefault(i)))])
        .Wrong("one after the other", s => [.. s.One, .. s.Other]);

    [Fact]
    public void The_parameters_of_a_linear_layer() => Answers.To(Questions.LinearLayer)
        .Right("the formula", a => a.Inputs * a.Outputs + (a.Bias ? a.Outputs : 0))
        .Right("one input more", a => a.Outputs * (a.Inputs + (a.Bias ? 1 : 0)))
        .Right("int", a => (int)a.Inputs * (int)a.Outputs + (a.Bias ? (int)a.Outputs : 0))
        .Right("double", a => (long)((double)a.Inputs * a.Outputs + (a.Bias ? a.Outputs : 0)))
        .Wrong("no bias", a => a.Inputs * a.Outputs)
        .Wrong("always a bias", a => a.Inputs * a.Outputs + a.Outputs)
        .Wrong("a bias for each input", a => a.Inputs * a.Outputs + (a.Bias ? a.Inputs : 0))
        .Wrong("one bias", a => a.Inputs * a.Outputs + (a.Bias ? 1 : 0));

    [Fact]
    public void The_parameters_of_grouped_query_attention() => Answers.To(Questions.GroupedQueryAttention)
        .Right("the chapter's formula", a => a.Hidden * a.Heads * a.HeadSize + 2 * (a.Hidden * a.KeyValueHeads * a.HeadSize) + a.Heads * a.HeadSize * a.Hidden)
        .Right("int", a => 2 * (int)a.Hidden * (int)a.HeadSize * ((int)a.Heads + (int)a.KeyValueHeads))
        .Wrong("square", a => 2 * a.Hidden * a.Hidden + 2 * a.Hidden * a.KeyValueHeads * a.HeadSize)
        .Wrong("head size of hidden / heads", a => 2 * a.Hidden * (a.Hidden / a.Heads) * (a.Heads + a.KeyValueHeads))
        .Wrong("every head its own keys", a => 4 * a.Hidden * a.HeadSize * a.Heads)
        .Wrong("keys without values", a => a.Hidden * a.HeadSize * (2 * a.Heads + a.KeyValueHeads))
        .Wrong("no output projection", a => a.Hidden * a.HeadSize * (a.Heads + 2 * a.KeyValueHeads));

    [Fact]
    public void The_parameters_of_a_layer_of_experts() => Answers.To(Questions.MoeLayer)
        .Right("the chapter's formula", a => (a.Hidden * a.Experts + a.Experts * (3 * a.Hidden * a.IntermediateSize),
            a.Hidden * a.Experts + a.ExpertsPerToken * (3 * a.Hidden * a.IntermediateSize)))
        .Right("factored", a => (a.Experts * a.Hidden * (1 + 3 * a.IntermediateSize), a.Hidden * (a.Experts + 3 * a.ExpertsPerToken * a.IntermediateSize)))
        .Right("double", a => ((long)(3.0 * a.Hidden * a.IntermediateSize * a.Experts + a.Experts * a.Hidden),
            (long)(3.0 * a.Hidden * a.IntermediateSize * a.ExpertsPerToken + a.Experts * a.Hidden)))
        .Wrong("no router", a => (3 * a.Experts * a.Hidden * a.IntermediateSize, 3 * a.ExpertsPerToken * a.Hidden * a.IntermediateSize))
        .Wrong("a router of k", a => (a.Experts * a.Hidden * (1 + 3 * a.IntermediateSize), a.ExpertsPerToken * a.Hidden * (1 + 3 * a.IntermediateSize)))
        .Wrong("two matrices", a => (a.Experts * a.Hidden * (1 + 2 * a.IntermediateSize), a.Hidden * (a.Experts + 2 * a.ExpertsPerToken * a.IntermediateSize)))
        .Wrong("all active", a => (a.Experts * a.Hidden * (1 + 3 * a.IntermediateSize), a.Experts * a.Hidden * (1 + 3 * a.IntermediateSize)))
        .Wrong("overflowing", a => ((int)a.Experts * (int)a.Hidden * (1 + 3 * (int)a.IntermediateSize), 0));

    [Fact]
    public void The_parameters_of_a_whole_model()
    {
        static long Count(long d, long layers, long heads, long groups, long f, long all, long experts, long vocabulary) =>
            vocabulary * d + layers * (2 * d * (d / heads) * (heads + groups) + experts * (3 * d * f) + d * all) + (2 * layers + 1) * d + vocabulary * d;
        Answers.To(Questions.WholeModel)
            .Right("the chapter's formula", m => (
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.Experts, m.Vocabulary),
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.ExpertsPerToken, m.Vocabulary)))
            .Right("active from total", m =>
            {
                var total = Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.Experts, m.Vocabulary);
                return (total, total - m.Layers * (m.Experts - m.ExpertsPerToken) * 3 * m.Hidden * m.IntermediateSize);
            })
            .Wrong("one embedding", m => (
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.Experts, m.Vocabulary) - m.Vocabulary * m.Hidden,
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.ExpertsPerToken, m.Vocabulary) - m.Vocabulary * m.Hidden))
            .Wrong("no last norm", m => (
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.Experts, m.Vocabulary) - m.Hidden,
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, m.Experts, m.ExpertsPerToken, m.Vocabulary) - m.Hidden))
            .Wrong("no router", m => (
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, 0, m.Experts, m.Vocabulary),
                Count(m.Hidden, m.Layers, m.Heads, m.KeyValueHeads, m.IntermediateSize, 0, m.ExpertsPerToken, m.Vocabulary)))
            .Wrong("every head its own keys", m => (
                Count(m.Hidden, m.Layers, m.Heads, m.Heads, m.IntermediateSize, m.Experts, m.Experts, m.Vocabulary),
                Count(m.Hidden, m.Layers, m.Heads, m.Heads, m.IntermediateSize, m.Experts, m.ExpertsPerToken, m.Vocabulary)));
    }

    [Fact]
    public void Gigabytes_held_and_read() => Answers.To(Questions.HeldAndRead)
        .Right("bytes first", m => (m.TotalParameters * m.BitsPerWeight / 8.0 / 1e9, m.ActiveParameters * m.BitsPerWeight / 8.0 / 1e9))
        .Right("whole bytes", m => (m.TotalParameters * m.BitsPerWeight / 8 / 1e9, m.ActiveParameters * m.BitsPerWeight / 8 / 1e9))
        .Right("float", m => (m.TotalParameters / 1e9f * m.BitsPerWeight / 8, m.ActiveParameters / 1e9f * m.BitsPerWeight / 8))
        .Wrong("whole bytes of a weight", m => (m.TotalParameters * (m.BitsPerWeight / 8) / 1e9, m.ActiveParameters * (m.BitsPerWeight / 8) / 1e9))
        .Wrong("whole gigabytes", m => (m.TotalParameters * m.BitsPerWeight / 8 / 1_000_000_000, m.ActiveParameters * m.BitsPerWeight / 8 / 1_000_000_000))
        .Wrong("whole billions", m => (m.TotalParameters / 1_000_000_000 * m.BitsPerWeight / 8, m.ActiveParameters / 1_000_000_000 * m.BitsPerWeight / 8))
        .Wrong("gibibytes", m => (m.TotalParameters * m.BitsPerWeight / 8.0 / (1 << 30), m.ActiveParameters * m.BitsPerWeight / 8.0 / (1 << 30)))
        .Wrong("bits", m => (m.TotalParameters * m.BitsPerWeight / 1e9, m.ActiveParameters * m.BitsPerWeight / 1e9))
        .Wrong("all is read", m => (m.TotalParameters * m.BitsPerWeight / 8e9, m.TotalParameters * m.BitsPerWeight / 8e9));

    [Fact]
    public void Experts_touched() => Answers.To(Questions.ExpertsTouched)
        .Right("the formula", b => b.Experts * (1 - Math.Pow(1 - (double)b.ExpertsPerToken / b.Experts, b.Tokens)))
        .Right("float", b => b.Experts * (1 - MathF.Pow(1 - (float)b.ExpertsPerToken / b.Experts, b.Tokens)))
        .Right("token by token, float", b =>
        {
            float touched = 0;
            for (var token = 0; token < b.Tokens; token++) touched += (b.Experts - touched) * b.ExpertsPerToken / b.Experts;
            return touched;
        })
        .Wrong("dividing integers", b => b.Experts * (1 - Math.Pow(1 - b.ExpertsPerToken / b.Experts, b.Tokens)))
        .Wrong("no two meet", b => Math.Min(b.Experts, b.ExpertsPerToken * b.Tokens))
        .Wrong("assignments one by one", b => b.Experts * (1 - Math.Pow(1 - 1.0 / b.Experts, b.ExpertsPerToken * b.Tokens)))
        .Wrong("a share", b => 1 - Math.Pow(1 - (double)b.ExpertsPerToken / b.Experts, b.Tokens))
        .Wrong("one token", b => b.ExpertsPerToken);

    [Fact]
    public void The_causal_mask() => Answers.To(Questions.CausalMask)
        .Right("by loops", m =>
        {
            var sees = new bool[m.Queries][];
            for (var query = 0; query < m.Queries; query++)
            {
                sees[query] = new bool[m.Keys];
                for (var key = 0; key < m.Keys; key++) sees[query][key] = key - query <= m.Keys - m.Queries;
            }
            return sees;
        })
        .Wrong("nothing", m => [.. Enumerable.Range(0, m.Queries).Select(_ => new bool[m.Keys])])
        .Wrong("no cache", m => Mask(m, (query, key) => key <= query))
        .Wrong("not itself", m => Mask(m, (query, key) => key < query + m.Keys - m.Queries))
        .Wrong("what is hidden", m => Mask(m, (query, key) => key > query + m.Keys - m.Queries))
        .Wrong("everything", m => Mask(m, (_, _) => true))
        .Wrong("square", m => [.. Enumerable.Range(0, m.Queries).Select(query => Enumerable.Range(0, m.Queries).Select(key => key <= query).ToArray())]);

    [Fact]
    public void The_norm_of_a_hidden_state() => Answers.To(Questions.RmsNorm)
        .Right("with the mean", n => [.. n.Hidden.Zip(n.Gain, (x, g) => g * x / Math.Sqrt(n.Hidden.Average(y => y * y) + n.Epsilon))])
        .Right("float", n => [.. n.Hidden.Zip(n.Gain, (x, g) => (float)g * ((float)x / MathF.Sqrt(n.Hidden.Average(y => (float)y * (float)y) + (float)n.Epsilon)))])
        .Right("in place", n =>
        {
            var scale = Math.Sqrt(n.Hidden.Average(y => y * y) + n.Epsilon);
            for (var j = 0; j < n.Hidden.Length; j++) n.Hidden[j] *= n.Gain[j] / scale;
            return n.Hidden;
        })
        .Wrong("unchanged", n => n.Hidden)
        .Wrong("ε outside the root", n => [.. n.Hidden.Zip(n.Gain, (x, g) => g * x / (Math.Sqrt(n.Hidden.Average(y => y * y)) + n.Epsilon))])
        .Wrong("no ε", n => [.. n.Hidden.Zip(n.Gain, (x, g) => g * x / Math.Sqrt(n.Hidden.Average(y => y * y)))])
        .Wrong("the sum", n => [.. n.Hidden.Zip(n.Gain, (x, g) => g * x / Math.Sqrt(n.Hidden.Sum(y => y * y) + n.Epsilon))])
        .Wrong("no gain", n => [.. n.Hidden.Select(x => x / Math.Sqrt(n.Hidden.Average(y => y * y) + n.Epsilon))])
        .Wrong("no root", n => [.. n.Hidden.Zip(n.Gain, (x, g) => g * x / (n.Hidden.Average(y => y * y) + n.Epsilon))])
        .Wrong("centred", n => [.. n.Hidden.Zip(n.Gain, (x, g) => g * (x - n.Hidden.Average()) / Math.Sqrt(n.Hidden.Average(y => y * y) + n.Epsilon))]);

    [Fact]
    public void The_rotation_of_a_pair() => Answers.To(Questions.RotatePair)
        .Right("the matrix", t => Turn(t, t.Position * Math.Pow(10000, -2.0 * t.Pair / t.HeadSize)))
        .Right("float", t =>
        {
            var angle = t.Position * MathF.Pow(10000, -2f * t.Pair / t.HeadSize);
            var (sine, cosine) = MathF.SinCos(angle);
            return ((float)t.A * cosine - (float)t.B * sine, (float)t.B * cosine + (float)t.A * sine);
        })
        .Right("float, divided", t =>
        {
            var angle = t.Position / MathF.Pow(10000, 2f * t.Pair / t.HeadSize);
            return ((float)t.A * MathF.Cos(angle) - (float)t.B * MathF.Sin(angle), (float)t.B * MathF.Cos(angle) + (float)t.A * MathF.Sin(angle));
        })
        .Wrong("not turned", t => (t.A, t.B))
        .Wrong("backwards", t => Turn(t, -t.Position * Math.Pow(10000, -2.0 * t.Pair / t.HeadSize)))
        .Wrong("half the exponent", t => Turn(t, t.Position * Math.Pow(10000, -1.0 * t.Pair / t.HeadSize)))
        .Wrong("an integer exponent", t => Turn(t, t.Position * Math.Pow(10000, -2 * t.Pair / t.HeadSize)))
        .Wrong("positions from 1", t => Turn(t, (t.Position + 1) * Math.Pow(10000, -2.0 * t.Pair / t.HeadSize)))
        .Wrong("degrees", t => Turn(t, Math.PI / 180 * t.Position * Math.Pow(10000, -2.0 * t.Pair / t.HeadSize)))
        .Wrong("another base", t => Turn(t, t.Position * Math.Pow(1000, -2.0 * t.Pair / t.HeadSize)));

    [Fact]
    public void The_head_that_serves_a_query() => Answers.To(Questions.KeyValueHead)
        .Right("groups", a => a.QueryHead / (a.Heads / a.KeyValueHeads))
        .Right("multiplied first", a => a.QueryHead * a.KeyValueHeads / a.Heads)
        .Right("float", a => (int)(a.QueryHead / (a.Heads / (float)a.KeyValueHeads)))
        .Wrong("the remainder", a => a.QueryHead % a.KeyValueHeads)
        .Wrong("the place in the group", a => a.QueryHead % (a.Heads / a.KeyValueHeads))
        .Wrong("groups of g", a => a.QueryHead / a.KeyValueHeads)
        .Wrong("from 1", a => a.QueryHead / (a.Heads / a.KeyValueHeads) + 1);

    [Fact]
    public void The_bytes_of_a_cache() => Answers.To(Questions.CacheBytes)
        .Right("the chapter's formula", c => 2 * c.Layers * c.KeyValueHeads * c.HeadSize * c.BytesPerNumber * c.Context * c.Batch)
        .Right("double", c => (long)(2.0 * c.Layers * c.KeyValueHeads * c.HeadSize * c.Batch * c.Context * c.BytesPerNumber))
        .Wrong("int", c => 2 * (int)c.Layers * (int)c.KeyValueHeads * (int)c.HeadSize * (int)c.Batch * (int)c.Context * (int)c.BytesPerNumber)
        .Wrong("keys only", c => c.Layers * c.KeyValueHeads * c.HeadSize * c.Batch * c.Context * c.BytesPerNumber)
        .Wrong("one sequence", c => 2 * c.Layers * c.KeyValueHeads * c.HeadSize * c.Context * c.BytesPerNumber)
        .Wrong("numbers", c => 2 * c.Layers * c.KeyValueHeads * c.HeadSize * c.Batch * c.Context)
        .Wrong("one layer", c => 2 * c.KeyValueHeads * c.HeadSize * c.Batch * c.Context * c.BytesPerNumber);

    [Fact]
    public void The_operations_of_a_block() => Answers.To(Questions.BlockFlops)
        .Right("twice the weights", b => (2 * (2 * b.Hidden * b.Heads * b.HeadSize + 2 * b.Hidden * b.KeyValueHeads * b.HeadSize),
            2 * (2 * b.Heads * b.HeadSize * b.Context), 2 * 3 * b.Hidden * b.IntermediateSize))
        .Right("double", b => ((long)(4.0 * b.Hidden * b.HeadSize * (b.Heads + b.KeyValueHeads)), (long)(4.0 * b.Heads * b.HeadSize * b.Context),
            (long)(6.0 * b.Hidden * b.IntermediateSize)))
        .Wrong("multiplications", b => (2 * b.Hidden * b.HeadSize * (b.Heads + b.KeyValueHeads), 2 * b.Heads * b.HeadSize * b.Context, 3 * b.Hidden * b.IntermediateSize))
        .Wrong("two matrices", b => (4 * b.Hidden * b.HeadSize * (b.Heads + b.KeyValueHeads), 4 * b.Heads * b.HeadSize * b.Context, 4 * b.Hidden * b.IntermediateSize))
        .Wrong("scores only", b => (4 * b.Hidden * b.HeadSize * (b.Heads + b.KeyValueHeads), 2 * b.Heads * b.HeadSize * b.Context, 6 * b.Hidden * b.IntermediateSize))
        .Wrong("of the groups",
            b => (4 * b.Hidden * b.HeadSize * (b.Heads + b.KeyValueHeads), 4 * b.KeyValueHeads * b.HeadSize * b.Context, 6 * b.Hidden * b.IntermediateSize))
        .Wrong("of hidden", b => (4 * b.Hidden * b.HeadSize * (b.Heads + b.KeyValueHeads), 4 * b.Hidden * b.Context, 6 * b.Hidden * b.IntermediateSize))
        .Wrong("square", b => (8 * b.Hidden * b.Hidden, 4 * b.Heads * b.HeadSize * b.Context, 6 * b.Hidden * b.IntermediateSize));

    private static bool[][] Mask((int Queries, int Keys) mask, Func<int, int, bool> sees) =>
        [.. Enumerable.Range(0, mask.Queries).Select(query => Enumerable.Range(0, mask.Keys).Select(key => sees(query, key)).ToArray())];

    private static (double, double) Turn((double A, double B, int Position, int Pair, int HeadSize) turn, double angle) =>
        (turn.A * Math.Cos(angle) - turn.B * Math.Sin(angle), turn.B * Math.Cos(angle) + turn.A * Math.Sin(angle));
}
