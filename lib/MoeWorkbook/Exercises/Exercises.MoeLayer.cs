using static TorchSharp.torch;

namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 04: the slots of each expert from the capacity factor.</summary>
    public static Exercise<(long Tokens, long ExpertsPerToken, long Experts, double Factor), long> SlotsOfAnExpert { get; } = new(
        "From the number of tokens, k, E and the capacity factor: how many slots does each expert get? Round up, and mind that dividing two integers rounds down.",
        ["tokens", "experts per token", "experts", "capacity factor"],
        random => (random.Next(10, 400), Pick(random, 1, 2, 4), Pick(random, 4, 8, 16), Pick(random, 4, 5, 6, 8) / 4.0),
        layer => (long)Math.Ceiling(layer.Factor * MeanLoad(layer)),
        // The mean load rounded down, or up, leads to another number; or there is nothing to round.
        layer => Math.Ceiling(layer.Factor * MeanLoad(layer)) != Math.Ceiling(layer.Factor * Math.Floor(MeanLoad(layer))),
        layer => Math.Ceiling(layer.Factor * MeanLoad(layer)) != Math.Ceiling(layer.Factor * Math.Ceiling(MeanLoad(layer))),
        layer => double.IsInteger(layer.Factor * MeanLoad(layer)));

    /// <summary>Chapter 04: which assignments find their expert full.</summary>
    public static Exercise<(int[] Chosen, int Experts, int Capacity), int[]> DroppedByPosition { get; } = new(
        "Assignments ask for room one after the other; Chosen holds the expert of each. An expert keeps the first that come until its capacity is reached. Return the numbers (from 0) of the assignments that are dropped, in order.",
        ["chosen", "experts", "capacity"],
        random =>
        {
            var experts = Pick(random, 2, 3, 4);
            return (Draw(random, random.Next(5, 12), experts), experts, random.Next(1, 4));
        },
        queue =>
        {
            var taken = new int[queue.Experts];
            return [.. Enumerable.Range(0, queue.Chosen.Length).Where(i => taken[queue.Chosen[i]]++ >= queue.Capacity)];
        },
        queue => queue.Chosen.CountBy(expert => expert).Any(load => load.Value > queue.Capacity));

    /// <summary>Chapter 04: assignments sorted by expert.</summary>
    public static Exercise<(int[] Chosen, int Experts), (int[] Counts, int[] Order)> SortedByExpert { get; } = new(
        "Chosen holds the expert of each assignment. Return how many assignments each expert has, and the numbers of the assignments sorted by expert; those of one expert stay in the order in which they came.",
        ["chosen", "experts"],
        random =>
        {
            var experts = Pick(random, 2, 3, 4, 6);
            return (Draw(random, random.Next(3) > 0 ? random.Next(4, 12) : random.Next(24, 33), experts), experts);
        },
        list => (
            [.. Enumerable.Range(0, list.Experts).Select(e => list.Chosen.Count(chosen => chosen == e))],
            [.. Enumerable.Range(0, list.Chosen.Length).OrderBy(i => list.Chosen[i])]),
        // Array.Sort keeps the order of up to 16 items as they came, and of more it does not.
        list => list.Chosen.Length > 16,
        list => list.Chosen.Distinct().Count() < list.Experts);

    /// <summary>Chapter 04: the combine step for one token.</summary>
    public static Exercise<(double[] Weights, bool[] Kept, double[][] Outputs), double[]> CombinedOutput { get; } = new(
        "One token has been to its experts. Return the layer's output for it: the sum of the experts' outputs, each times its weight; a dropped assignment (Kept is false) adds nothing.",
        ["weights", "kept", "outputs"],
        random =>
        {
            int k = random.Next(1, 4), hidden = random.Next(2, 5);
            double Number() => Pick(random, -1, 1) * random.Next(1, 21) / 10.0;
            return (
                [.. Enumerable.Range(0, k).Select(_ => random.Next(5, 100) / 100.0)],
                [.. Enumerable.Range(0, k).Select(_ => random.Next(4) > 0)],
                [.. Enumerable.Range(0, k).Select(_ => Enumerable.Range(0, hidden).Select(_ => Number()).ToArray())]);
        },
        token => [.. Enumerable.Range(0, token.Outputs[0].Length)
            .Select(i => Enumerable.Range(0, token.Weights.Length).Where(j => token.Kept[j]).Sum(j => token.Weights[j] * token.Outputs[j][i]))],
        token => token.Kept.Count(kept => kept) == 1 && token.Kept.Length > 1,
        token => !token.Kept.Contains(true));

    /// <summary>Chapter 04: the combine step of a whole layer.</summary>
    public static Exercise<(Tensor Outputs, Tensor Tokens, Tensor Weights, long TokenCount), Tensor> ScatteredOutputs { get; } = new(
        "The experts have computed all assignments. From their outputs [assignments, hidden], the token and the weight of each assignment "
            + "(both [assignments]) and the number of tokens: the layer's output, a tensor [tokens, hidden].",
        ["outputs", "tokens", "weights", "number of tokens"],
        random =>
        {
            var assignments = random.Next(2, 5);
            long tokens = random.Next(2, 4);
            long[] token = [.. Enumerable.Range(0, assignments).Select(_ => random.NextInt64(tokens))];
            return (Matrix(random, assignments, 2), tensor(token), Vector(random, assignments), tokens);
        },
        list => zeros(list.TokenCount, list.Outputs.shape[1]).index_add(0, list.Tokens, list.Weights.unsqueeze(1) * list.Outputs, 1),
        // A token that comes twice, and one that does not come.
        list => list.Tokens.data<long>().Distinct().Count() < list.Tokens.numel(),
        list => list.Tokens.data<long>().Distinct().Count() < list.TokenCount);

    /// <summary>Chapter 04: who finds room where first choices come before second ones (Lepikhin et al. 2020, algorithm 1).</summary>
    public static Exercise<(int[] First, int[] Second, int Experts, int Capacity), int[]> KeptOfTwoChoices { get; } = new(
        "Each token has a first and a second expert. All first choices ask for room before any second one, token after token; an expert "
            + "keeps those that come until its capacity is reached. How many of its two choices does each token keep?",
        ["first", "second", "experts", "capacity"],
        random =>
        {
            var experts = Pick(random, 2, 3, 4);
            var first = Draw(random, random.Next(3, 8), experts);
            return (first, [.. first.Select(expert => (expert + random.Next(1, experts)) % experts)], experts, random.Next(1, 4));
        },
        batch => Kept(batch.First.Index().Concat(batch.Second.Index()), batch),
        // Where tokens that bring both of their choices at once would keep others.
        batch => !Kept(batch.First.Index().Zip(batch.Second.Index(), (first, second) => new[] { first, second }).SelectMany(both => both), batch)
            .SequenceEqual(Kept(batch.First.Index().Concat(batch.Second.Index()), batch)));

    /// <summary>Chapter 04: the operations of a layer with a shared expert.</summary>
    public static Exercise<(long Hidden, long IntermediateSize, long SharedSize, long Experts, long ExpertsPerToken,
        long Tokens), long> MoeLayerOperations
    { get; } = new(
        "Count the operations of a Mixture-of-Experts layer with SwiGLU experts and one shared expert that every token visits, for a number of tokens when nothing is dropped or padded: router, routed experts, shared expert. A multiplication with its addition counts as two; activations and the combine step are left out.",
        ["hidden", "expert size", "shared size", "experts", "experts per token", "tokens"],
        random =>
            (Pick(random, 512, 2048, 4096), Pick(random, 768, 1408, 14336), Pick(random, 0, 512, 2816), Pick(random, 8, 64, 128),
                Pick(random, 1, 2, 4, 8), Pick(random, 1, 32, 1000)),
        layer => 2 * layer.Tokens * layer.Hidden * (layer.Experts + 3 * (layer.ExpertsPerToken * layer.IntermediateSize + layer.SharedSize)),
        layer => layer.SharedSize > 0 && layer.ExpertsPerToken > 1 && layer.Tokens > 1);

    /// <summary>Chapter 04: the dropped share of a fair router that tosses dice.</summary>
    public static Exercise<(int Tokens, int Experts, int Capacity), double> ExpectedDroppedShare { get; } = new(
        "Every token chooses one of E experts, all equally likely and independently of the others. Each expert has room for C tokens. What share of the tokens is dropped on average? (The load n of one expert is binomial, and it drops n − C where n is larger.)",
        ["tokens T", "experts E", "capacity C"],
        random =>
        {
            int experts = Pick(random, 2, 4, 8), mean = Pick(random, 2, 4, 8);
            return (experts * mean, experts, mean * Pick(random, 4, 5, 6, 8) / 4);
        },
        batch =>
        {
            double p = 1.0 / batch.Experts, probability = Math.Pow(1 - p, batch.Tokens), dropped = 0;
            for (var n = 0; n <= batch.Tokens; n++)
            {
                dropped += probability * Math.Max(n - batch.Capacity, 0);
                probability *= (batch.Tokens - n) * p / ((n + 1) * (1 - p));
            }
            return batch.Experts * dropped / batch.Tokens;
        },
        batch => batch.Capacity * batch.Experts == batch.Tokens);

    private static double MeanLoad((long Tokens, long ExpertsPerToken, long Experts, double Factor) layer) =>
        (double)layer.Tokens * layer.ExpertsPerToken / layer.Experts;

    private static int[] Kept(IEnumerable<(int Token, int Expert)> queue, (int[] First, int[] Second, int Experts, int Capacity) batch)
    {
        int[] taken = new int[batch.Experts], kept = new int[batch.First.Length];
        foreach (var (token, expert) in queue)
            if (taken[expert]++ < batch.Capacity) kept[token]++;
        return kept;
    }

    private static int[] Draw(Random random, int count, int below) => [.. Enumerable.Range(0, count).Select(_ => random.Next(below))];
}
