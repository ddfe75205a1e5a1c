using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Specialization;

public sealed class RoutedTextTests
{
    private static readonly ModelConfig _config =
        ModelConfig.Dense(hiddenSize: 8, layerCount: 2, headCount: 2, keyValueHeadCount: 1, intermediateSize: 8, vocabularySize: 11).MixtureOfExperts(4, 2);
    private static readonly int[] _text = [.. Enumerable.Range(0, 50).Select(i => i * i % 11)];

    [Fact]
    public void Each_token_has_the_expert_and_logits_of_its_window()
    {
        using var model = new CausalLanguageModel(_config, seed: 3);
        var routed = RoutedText.Of(model, _text, window: 16);
        var decisions = new List<RoutingDecision>();
        model.eval();
        model.forward(tensor(_text[16..32].Select(id => (long)id).ToArray()).unsqueeze(0), cache: null, decisions);
        Assert.Equal((2, 50), (routed.LayerCount, routed.Experts(1).Count));
        Assert.Equal(decisions[1].TopKExperts.select(1, 0).data<long>().Select(e => (int)e), routed.Experts(1).Skip(16).Take(16));
        Assert.Equal(decisions[0].Logits.mean([0L]).data<float>().ToArray().Select(l => Math.Round(l, 5)),
            routed.MeanLogits(0, i => i is >= 16 and < 32).Select(l => Math.Round(l, 5)));
    }

    [Fact]
    public void A_model_is_given_back_in_the_state_it_came_in()
    {
        using var model = new CausalLanguageModel(_config);
        model.train();
        RoutedText.Of(model, _text);
        Assert.True(model.training);
    }

    [Fact]
    public void A_dense_model_has_nothing_to_show()
    {
        using var dense = new CausalLanguageModel(ModelConfig.Dense(8, 1, 2, 1, 8, 11));
        Assert.Contains("no router", Assert.Throws<ArgumentException>(() => RoutedText.Of(dense, _text)).Message, StringComparison.Ordinal);
        using var model = new CausalLanguageModel(_config);
        Assert.Contains("no token", Assert.Throws<ArgumentException>(() => RoutedText.Of(model, [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Coloured_text_shows_stretches_and_escapes_what_cannot_be_printed()
    {
        var text = new ColoredText([(byte)'a', (byte)'<', (byte)'\n', 0xe2], [new("expert", [0, 0, 0, 1], ["expert 0", "expert 1"])], "Two experts.");
        Assert.Contains("title=\"expert 0\">a&lt;↵\n</span>", text.ToHtml(), StringComparison.Ordinal);
        Assert.Contains("title=\"expert 1\">\\xe2</span>", text.ToHtml(), StringComparison.Ordinal);
        Assert.Equal("expert: 0 = expert 0, 1 = expert 1\na<↵\n000\n\\xe2\n1111\nTwo experts.", text.ToString().ReplaceLineEndings("\n"));
        Assert.Contains("1 labels for 2 bytes", Assert.Throws<ArgumentException>(() => new ColoredText([1, 2], [new("expert", [0], ["0"])], "")).Message, StringComparison.Ordinal);
        Assert.Contains("labels from 0 to 1 and 1 names", Assert.Throws<ArgumentException>(() => new ColoredText([1, 2], [new("expert", [0, 1], ["0"])], "")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_there_are_more_labels_than_colours_each_stretch_shows_its_label()
    {
        string[] names = [.. Enumerable.Range(0, 16).Select(e => $"{e}")];
        var html = new ColoredText("ab\nc"u8.ToArray(), [new("expert", [13, 13, 13, 13], names)], "One expert.").ToHtml();
        Assert.Contains("<ruby>ab↵<rt style=\"font-size:9px;padding:0 2px\">13</rt></ruby>\n</span>", html, StringComparison.Ordinal);
        Assert.Contains("<ruby>c<rt style=\"font-size:9px;padding:0 2px\">13</rt></ruby></span>", html, StringComparison.Ordinal);
    }
}
