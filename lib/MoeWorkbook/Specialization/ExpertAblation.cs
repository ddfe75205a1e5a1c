using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What each domain loses when one expert of a layer is taken away.</summary>
/// <param name="Whole">The loss of each domain with all experts, in nats a token; NaN for a domain without a token.</param>
/// <param name="Losses">The same without each expert: <c>[expert][domain]</c>.</param>
public sealed record ExpertAblation(IReadOnlyList<double> Whole, IReadOnlyList<IReadOnlyList<double>> Losses)
{
    /// <summary>By how much the loss of a domain rises without an expert.</summary>
    /// <param name="expert">The expert that is taken away.</param>
    /// <param name="domain">The domain.</param>
    public double Rise(int expert, int domain) => Losses[expert][domain] - Whole[domain];

    /// <summary>Takes the experts of one layer away, one after another, and measures.</summary>
    /// <param name="model">A model with Mixture-of-Experts layers. It is as before when the method returns.</param>
    /// <param name="batch">The text.</param>
    /// <param name="domains">Number of domains.</param>
    /// <param name="layer">The number of the Mixture-of-Experts layer, from 0.</param>
    /// <param name="how">What becomes of the tokens of an expert that is away.</param>
    /// <exception cref="ArgumentException">There is no such layer, it has one expert only, or its router is no <see cref="LinearRouter"/>.</exception>
    public static ExpertAblation Measure(CausalLanguageModel model, CorpusBatch batch, int domains, int layer, RemovedExpert how = RemovedExpert.Rerouted)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batch);
        var layers = model.MoeLayers;
        if (layer < 0 || layer >= layers.Count) throw new ArgumentException($"layer is {layer}; the model has {layers.Count} Mixture-of-Experts layers.", nameof(layer));
        var moe = layers[layer];
        if (moe.Router is not LinearRouter { ExpertCount: > 1 } router)
            throw new ArgumentException($"Layer {layer} has a {moe.Router.GetType().Name} of {moe.Router.ExpertCount} experts; a linear router of at least two is needed.", nameof(layer));
        var (training, runner) = (model.training, moe.Runner);
        model.eval();
        try
        {
            var whole = Losses();
            var without = new List<IReadOnlyList<double>>();
            for (var expert = 0; expert < router.ExpertCount; expert++)
            {
                if (how == RemovedExpert.Rerouted) router.AbsentExpert = expert;
                else moe.Runner = new Silencing(runner, expert);
                without.Add(Losses());
            }

            return new(whole, without);
        }
        finally
        {
            (router.AbsentExpert, moe.Runner) = (null, runner);
            model.train(training);
        }

        double[] Losses()
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var logits = model.forward(batch.Tokens.to(model.Device)).cpu(); // [batch, sequence, vocabulary]
            var losses = nn.functional.cross_entropy(logits.reshape(-1, logits.shape[2]), batch.Targets.reshape(-1), reduction: nn.Reduction.None); // [tokens]
            var domain = batch.TargetDomains.reshape(-1);
            var sum = zeros(domains, device: CPU).index_add(0, domain, losses, 1);
            var count = zeros(domains, device: CPU).index_add(0, domain, ones_like(losses), 1);
            return [.. (sum / count).data<float>().ToArray().Select(loss => (double)loss)];
        }
    }

    /// <summary>Runs all experts but one.</summary>
    private sealed class Silencing(ExpertRunner runner, int expert) : ExpertRunner
    {
        protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts) =>
            runner.Run(hidden, routing with { Kept = routing.Kept.logical_and(routing.Experts.ne(expert)) }, experts);
    }
}
