using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Specialization;

public sealed class ExpertAblationTests
{
    private static readonly ModelConfig _config =
        ModelConfig.Dense(hiddenSize: 8, layerCount: 2, headCount: 2, keyValueHeadCount: 1, intermediateSize: 8, vocabularySize: 11).MixtureOfExperts(3, 1);

    [Theory, InlineData(RemovedExpert.Rerouted), InlineData(RemovedExpert.Silent)]
    public void The_loss_is_that_of_a_model_whose_expert_is_really_gone(RemovedExpert how)
    {
        using var model = new CausalLanguageModel(_config, seed: 4);
        var moe = model.Decoder.Layers[1].Moe!;
        using (no_grad()) moe.Router.get_parameter("weight")!.mul_(50); // firm choices
        using var batch = Batch();
        var measured = ExpertAblation.Measure(model, batch, 2, layer: 1, how);
        Assert.Null(((LinearRouter)moe.Router).AbsentExpert);
        Assert.Equal(measured.Whole, ExpertAblation.Measure(model, batch, 2, layer: 1, how).Whole);

        // By hand: expert 2 never is the largest, or gives zero.
        if (how == RemovedExpert.Rerouted) ((LinearRouter)moe.Router).AbsentExpert = 2;
        else using (no_grad()) moe.Experts.Down[2].zero_();
        var byHand = ExpertAblation.Measure(model, batch, 2, layer: 0).Whole;
        Assert.Equal(byHand.Select(loss => Math.Round(loss, 5)), measured.Losses[2].Select(loss => Math.Round(loss, 5)));
        Assert.Equal(measured.Losses[2][1] - measured.Whole[1], measured.Rise(2, 1));
    }

    [Fact]
    public void An_absent_expert_is_chosen_by_no_token_even_with_a_selection_bias()
    {
        using var router = new SigmoidTopKRouter(4, 3, 2) { AbsentExpert = 1 };
        using (no_grad()) router.SelectionBias!.copy_(tensor(new[] { 0f, 5f, 0f }));
        Assert.Equal(0, router.forward(new RouterInput(randn(1, 6, 4))).Load()[1].item<long>());
        Assert.Contains("from 0 to 2", Assert.Throws<ArgumentOutOfRangeException>(() => router.AbsentExpert = 3).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_that_is_not_there_is_refused()
    {
        using var model = new CausalLanguageModel(_config);
        using var batch = Batch();
        Assert.Contains("layer is 2; the model has 2", Assert.Throws<ArgumentException>(() => ExpertAblation.Measure(model, batch, 2, layer: 2)).Message, StringComparison.Ordinal);
    }

    private static CorpusBatch Batch()
    {
        var tokens = arange(40, ScalarType.Int64).mul(7).remainder(11).view(2, 20);
        var domains = cat([zeros(1, 20, dtype: ScalarType.Int64), ones(1, 20, dtype: ScalarType.Int64)]);
        return new(tokens, tokens.roll(1, 1), domains, domains);
    }
}
