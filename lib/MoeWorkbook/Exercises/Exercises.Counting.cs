namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 01: the parameters of one linear layer.</summary>
    public static Exercise<(long Inputs, long Outputs, bool Bias), long> LinearLayer { get; } = new(
        "Count the parameters of a linear layer from its inputs, its outputs, and whether it has a bias.",
        ["inputs", "outputs", "bias"],
        random => (Pick(random, 64, 128, 512, 4096), Pick(random, 32, 128, 1024, 14336), random.Next(2) == 0),
        layer => layer.Inputs * layer.Outputs + (layer.Bias ? layer.Outputs : 0),
        layer => layer.Bias && layer.Inputs != layer.Outputs,
        layer => !layer.Bias);

    /// <summary>Chapter 01: the parameters of grouped-query attention without biases.</summary>
    public static Exercise<(long Hidden, long Heads, long KeyValueHeads, long HeadSize), long> GroupedQueryAttention { get; } = new(
        "Count the parameters of grouped-query attention without biases: projections to queries, keys and values, and the output projection. Mind that the head size need not be hidden size / heads.",
        ["hidden", "heads", "key-value heads", "head size"],
        random =>
        {
            var keyValueHeads = Pick(random, 1, 2, 4, 8);
            return (Pick(random, 1024, 2048, 4096), keyValueHeads * Pick(random, 1, 2, 4, 8), keyValueHeads, Pick(random, 64, 128));
        },
        attention => 2 * attention.Hidden * attention.HeadSize * (attention.Heads + attention.KeyValueHeads),
        attention => attention.KeyValueHeads < attention.Heads && attention.Heads * attention.HeadSize != attention.Hidden);

    /// <summary>Chapter 01: total and active parameters of a Mixture-of-Experts layer.</summary>
    public static Exercise<(long Hidden, long IntermediateSize, long Experts, long ExpertsPerToken), (long Total, long Active)> MoeLayer { get; } = new(
        "Count a Mixture-of-Experts layer with SwiGLU experts: its router and experts in total, and what one token touches.",
        ["hidden", "expert size", "experts", "experts per token"],
        random => (Pick(random, 512, 2048, 4096), Pick(random, 768, 1536, 14336), Pick(random, 8, 64, 128), Pick(random, 1, 2, 4, 8)),
        layer =>
        {
            long router = layer.Experts * layer.Hidden, expert = 3 * layer.Hidden * layer.IntermediateSize;
            return (router + layer.Experts * expert, router + layer.ExpertsPerToken * expert);
        },
        layer => layer.ExpertsPerToken < layer.Experts);

    /// <summary>Chapter 01: a whole Mixtral-like model, total and active all-in.</summary>
    public static Exercise<(long Hidden, long Layers, long Heads, long KeyValueHeads, long IntermediateSize, long Experts, long ExpertsPerToken,
        long Vocabulary), (long Total, long Active)> WholeModel
    { get; } = new(
        "Count a whole model built like Mixtral, in total and active (all-in): embedding and head apart, head size = hidden / heads, two norms in each layer and one at the end.",
        ["hidden", "layers", "heads", "key-value heads", "expert size", "experts", "experts per token", "vocabulary"],
        random => (Pick(random, 1024, 2048, 4096), Pick(random, 8, 24, 32), Pick(random, 16, 32), Pick(random, 4, 8),
            Pick(random, 768, 3072, 14336), Pick(random, 8, 32), Pick(random, 1, 2, 4), Pick(random, 32000, 50304)),
        model =>
        {
            var count = ParameterCount.Of(ModelConfig.Dense((int)model.Hidden, (int)model.Layers, (int)model.Heads, (int)model.KeyValueHeads,
                (int)model.IntermediateSize, (int)model.Vocabulary)
                .MixtureOfExperts((int)model.Experts, (int)model.ExpertsPerToken));
            return (count.TotalParameters, count.ActiveParameters);
        });

    /// <summary>Chapter 01: memory to hold a model, and bytes read to produce one token.</summary>
    public static Exercise<(long TotalParameters, long ActiveParameters, long BitsPerWeight), (double GigabytesHeld,
        double GigabytesRead)> HeldAndRead
    { get; } = new(
        "From total and active parameters and the bits of one weight: how many gigabytes (10⁹ bytes) must be held, and how many are read for one token?",
        ["total parameters", "active parameters", "bits per weight"],
        random =>
        {
            var total = random.NextInt64(5, 700) * 1_000_000_000;
            return (total, total / random.NextInt64(2, 20), Pick(random, 4, 8, 16, 32));
        },
        model => (model.TotalParameters * (double)model.BitsPerWeight / 8e9, model.ActiveParameters * (double)model.BitsPerWeight / 8e9),
        // Half a byte, and half a gigabyte: neither is a whole number.
        model => model.BitsPerWeight == 4 && model.TotalParameters / 1_000_000_000 % 2 == 1);

    /// <summary>Chapter 01: the experts of a layer that a small batch touches, in expectation.</summary>
    public static Exercise<(long Experts, long ExpertsPerToken, long Tokens), double> ExpertsTouched { get; } = new(
        "If every token chooses its k of E experts uniformly and independently of the other tokens, how many distinct experts do B tokens touch on average?",
        ["experts E", "experts per token k", "tokens B"],
        random => (Pick(random, 8, 64, 128, 256), Pick(random, 1, 2, 4, 8), Pick(random, 1, 2, 4, 8, 32)),
        batch => MoeWorkbook.ExpertsTouched.Expected((int)batch.Experts, (int)batch.ExpertsPerToken, batch.Tokens),
        batch => batch.Tokens > 1 && batch.ExpertsPerToken < batch.Experts);
}
