using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Browsers;

/// <summary>Live figures, operated in a browser that reaches nothing but this machine; their numbers are the library's.</summary>
[Trait("Category", "Slow")]
public sealed class LiveFigureTests
{
    private const string Live = "document.querySelector('figure').live";

    private static readonly Lazy<CausalLanguageModel> _model = new(() =>
        HuggingFaceDirectory.Load(Path.Combine(Repository.Root, "data", "checkpoints", "small-moe"), dtype: ScalarType.Float32));

    private static readonly float[,] _logits =
    {
        { 2.0f, 1.0f, 0.1f, -1.0f }, { 1.8f, 0.2f, 0.7f, 0.5f }, { -1.0f, 0.0f, -0.5f, -0.3f },
        { 1.6f, -1.3f, 0.3f, -0.5f }, { 2.2f, 0.6f, -0.3f, 1.3f }, { 1.3f, -0.3f, 1.8f, 0.8f },
    };

    private static readonly ParameterInit _init = new() { Generator = new(1), StandardDeviation = 0.6 };

    private static readonly MoeLayer _layer = new(new SoftmaxTopKRouter(8, 4, 2, init: _init), new ExpertWeights(4, 8, 16, init: _init));

    private static readonly Tensor _hidden = randn([12, 8], generator: new Generator(2));

    private static readonly TrainingRun[] _runs =
        [.. TrainingRecording.Read(Path.Combine(Repository.Root, "data", "recorded", "06-expert-collapse.json")).Runs.Where(run => run.Seed == 0).Take(2)];

    private static readonly PublishedModel[] _decoders = [.. ModelCatalog.All.Where(model => model.Config.Encoder is null)];

    public static TheoryData<string> Names => [.. _figures.Keys];

    private static readonly Dictionary<string, Func<LiveFigure>> _figures = new()
    {
        ["typed text"] = () => LiveFigures.TypedText(_model.Value),
        ["playground"] = () => LiveFigures.RouterPlayground(tensor(_logits), ["the", "cat", "sat", "on", "a", "mat"]),
        ["buffers"] = () => LiveFigures.BuffersFilling(_layer.Router.forward(new(_hidden.unsqueeze(0)))),
        ["follow"] = () => LiveFigures.FollowToken(_layer, _hidden, token: 3),
        ["collapse"] = () => LiveFigures.CollapseReplayed(_runs, layer: 1),
        ["what fits"] = () => LiveFigures.WhatFits(_decoders, "mixtral-8x7b"),
    };

    [Fact]
    public async Task Two_hundred_typed_texts_have_the_librarys_logits_and_the_librarys_expert_for_every_byte()
    {
        await using var page = await OpenAsync(LiveFigures.TypedText(_model.Value));
        var random = new Random(1);
        for (var text = 0; text < 200; text++)
        {
            // Every other text is of the model's own language, where the router is surest.
            var bytes = new byte[random.Next(1, 65)];
            if (text % 2 == 0) random.NextBytes(bytes);
            else bytes = Encoding.ASCII.GetBytes("12*34=408;\nthe mibe lanos the rotu.\n2026-11-22 Sun\nACGTACGTTGCA\n")[..bytes.Length];
            if (text % 4 == 1) random.Shuffle(bytes);
            var seen = (await page.EvaluateAsync($"{Live}.read([{string.Join(',', bytes)}])"))!;

            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var routing = new List<RoutingDecision>();
            var logits = _model.Value.forward(tensor([.. bytes.Select(one => (long)one)], [1, bytes.Length]), cache: null, routing, lastOnly: true);
            Assert.All(logits.data<float>().ToArray().Zip(Numbers(seen["logits"]!)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
            for (var layer = 0; layer < 2; layer++)
                Assert.Equal(routing[layer].Experts.data<long>().ToArray(), seen["experts"]!.AsArray().Select(position => (long)position![layer]![0]!));
        }

        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task A_typed_text_shows_its_experts_and_goes_on_as_the_library_writes_it()
    {
        await using var page = await OpenAsync(LiveFigures.TypedText(_model.Value, ["the "]));
        await page.EvaluateAsync("var box = document.querySelector('textarea'); box.value = '12*3'; box.dispatchEvent(new Event('input'))");
        Assert.Equal("1|2|*|3", (string?)await page.EvaluateAsync("[...document.querySelectorAll('.letters b')].map(b => b.textContent).join('|')"));
        var routed = RoutedText.Of(_model.Value, [.. "12*3"u8.ToArray().Select(one => (int)one)]);
        Assert.Equal(string.Join('|', Enumerable.Range(0, 4).Select(i => $"{routed.Experts(0)[i]}{routed.Experts(1)[i]}")),
            (string?)await page.EvaluateAsync("[...document.querySelectorAll('.letters button')].map(b => b.textContent.slice(1)).join('|')"));

        // The arrow keys step from letter to letter.
        await page.EvaluateAsync("document.querySelector('.letters button:last-child').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }))");
        Assert.Equal("*", (string?)await page.EvaluateAsync("document.activeElement.querySelector('b').textContent"));

        for (var letter = 0; letter < 12; letter++) await page.EvaluateAsync($"{Live}.write()");
        var written = _model.Value.Generate([.. "12*3"u8.ToArray().Select(one => (long)one)], new(12));
        var goesOn = Encoding.ASCII.GetString([.. written.TakeWhile(token => token < 128).Select(token => (byte)token)]);
        Assert.Equal("12*3" + goesOn, (string?)await page.EvaluateAsync($"{Live}.text.value"));
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task An_expert_that_is_switched_off_is_absent_as_in_the_library()
    {
        var model = _model.Value;
        var bytes = "the mibe lanos"u8.ToArray();
        await using var page = await OpenAsync(LiveFigures.TypedText(model, [Encoding.ASCII.GetString(bytes)]));
        var absent = RoutedText.Of(model, [.. bytes.Select(one => (int)one)]).Experts(1)[^1];
        await page.EvaluateAsync($"document.querySelector('[data-expert=\"1,{absent}\"]').click()");
        Assert.Equal("false", (string?)await page.EvaluateAsync($"document.querySelector('[data-expert=\"1,{absent}\"]').getAttribute('aria-pressed')"));
        var seen = (await page.EvaluateAsync($"{Live}.read([{string.Join(',', bytes)}])"))!;

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var router = (LinearRouter)model.MoeLayers[1].Router;
        router.AbsentExpert = absent;
        try
        {
            var logits = model.forward(tensor([.. bytes.Select(one => (long)one)], [1, bytes.Length]), cache: null, lastOnly: true);
            Assert.All(logits.data<float>().ToArray().Zip(Numbers(seen["logits"]!)), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        }
        finally
        {
            router.AbsentExpert = null;
        }

        AssertNothingIn(page.Problems);
    }

    [Fact]
    public void A_model_that_the_page_cannot_compute_is_refused_with_the_reason()
    {
        using var dense = new CausalLanguageModel(ModelConfig.Dense(64, 1, 2, 2, 32, 257));
        Assert.Contains("a layer has no experts", Assert.Throws<ArgumentException>(() => LiveFigures.TypedText(dense)).Message, StringComparison.Ordinal);
        using var words = new CausalLanguageModel(_model.Value.Config with { VocabularySize = 1000 });
        Assert.Contains("1000 tokens", Assert.Throws<ArgumentException>(() => LiveFigures.TypedText(words)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_playgrounds_weights_drops_and_MaxVio_are_the_librarys_in_random_states()
    {
        using var scope = NewDisposeScope();
        await using var page = await OpenAsync(_figures["playground"]());
        var noise = (await page.EvaluateAsync("JSON.parse(document.querySelector('script[type]').textContent).noise"))!;
        var random = new Random(3);
        var (dropping, idle) = (0, 0);
        for (var trial = 0; trial < 100; trial++)
        {
            var kind = trial % 3;
            var drawn = Enumerable.Range(0, 24).Select(_ => random.Next(-30, 31));
            var seen = (await page.EvaluateAsync($$"""
                (function (live) {
                  live.kind.set({{kind}});
                  live.k.set({{random.Next(1, 5)}});
                  live.temperature.set({{random.Next(2, 41) / 10.0}});
                  live.noise.set({{random.Next(0, 31) / 10.0}});
                  live.capacity.set({{random.Next(5, 41) / 20.0}});
                  live.cells.flat().forEach(function (cell, i) { cell.input.value = [{{string.Join(',', drawn)}}][i] / 10; });
                  live.cells[0][0].input.dispatchEvent(new Event("input"));
                  return { k: live.k.value(), temperature: live.temperature.value(), noise: live.noise.value(), factor: live.capacity.value(),
                    logits: live.cells.map(line => line.map(cell => +cell.input.value)), state: live.state() };
                })({{Live}})
                """))!;
            var k = (int)seen["k"]!;
            double temperature = (double)seen["temperature"]!, scale = (double)seen["noise"]!, factor = (double)seen["factor"]!;
            double[] logits = [.. from t in Enumerable.Range(0, 6) from e in Enumerable.Range(0, 4)
                                  select ((double)seen["logits"]![t]![e]! + scale * (double)noise[0]![t]![e]!) / temperature];
            var init = new ParameterInit(null, ScalarType.Float64);
            LinearRouter router = kind == 2
                ? new SigmoidTopKRouter(4, 4, k, init: init)
                : new SoftmaxTopKRouter(4, 4, k, init: init) { NormalizeWeights = kind == 0 };
            using (no_grad()) router.Weight.copy_(eye(4));
            var routing = new ExpertCapacity(factor).Apply(router.forward(new(tensor(logits, [1, 6, 4]))));
            var load = LoadStatistics.Of(routing);

            var state = seen["state"]!;
            Assert.Equal(load.Load, state["load"]!.AsArray().Select(count => (long)count!));
            Assert.Equal(load.MaxViolation, (double)state["maxViolation"]!, 1e-12);
            Assert.Equal(load.DroppedShare * load.Assignments, (double)state["dropped"]!, 1e-9);
            foreach (var assignment in state["assignments"]!.AsArray())
            {
                var at = (long)assignment!["token"]! * k + (long)assignment["choice"]!;
                Assert.Equal(routing.Experts[at].item<long>(), (long)assignment["expert"]!);
                Assert.Equal(routing.Weights[at].item<double>(), (double)assignment["weight"]!, 1e-12);
                Assert.Equal(routing.Kept[at].item<bool>(), (bool)assignment["kept"]!);
            }

            (dropping, idle) = (dropping + (load.DroppedShare > 0 ? 1 : 0), idle + load.DeadExperts);
        }

        Assert.True(dropping > 20 && idle > 10, $"the states are too tame: {dropping} drop, {idle} idle experts");
        AssertNothingIn(page.Problems);
    }

    [Theory]
    [InlineData(DropPolicy.Position)]
    [InlineData(DropPolicy.BatchPrioritized)]
    [InlineData(DropPolicy.Random)]
    public async Task The_buffers_keep_what_the_library_keeps_and_count_it(DropPolicy policy)
    {
        using var scope = NewDisposeScope();
        var routing = _layer.Router.forward(new(_hidden.unsqueeze(0)));
        await using var page = await OpenAsync(LiveFigures.BuffersFilling(routing, seed: 6));
        foreach (var factor in (double[])[0.5, 1, 1.5, 3])
        {
            await page.EvaluateAsync(string.Create(CultureInfo.InvariantCulture,
                $"var live = {Live}; live.policy.set({(int)policy}); live.factor.set({factor}); live.again(); live.steps.go(24)"));
            var applied = new ExpertCapacity(factor, policy).Apply(routing, new Generator(6));
            var kept = applied.Kept.data<bool>().ToArray();
            Assert.Equal(Enumerable.Range(0, 24).Where(i => kept[i]),
                (await page.EvaluateAsync($"{Live}.kept()"))!.AsArray().Select(one => (int)one![0]! * 2 + (int)one[1]!).Order());
            var slots = 4 * (int)new ExpertCapacity(factor).PerExpert(24, 4);
            var counts = (await page.EvaluateAsync($"{Live}.counts(24)"))!;
            Assert.Equal(kept.Count(one => one), (int)counts["kept"]!);
            Assert.Equal(kept.Count(one => !one), (int)counts["dropped"]!);
            Assert.Equal(slots - kept.Count(one => one), (int)counts["padding"]!);
            Assert.Equal(Enumerable.Range(0, 12).Count(token => !kept[2 * token] && !kept[2 * token + 1]), (int)counts["unserved"]!);
            Assert.Equal(slots, (int)(await page.EvaluateAsync("[...document.querySelectorAll('.lane')].slice(1, 5).map(lane => lane.querySelectorAll('.chip').length).reduce((a, b) => a + b)"))!);
        }

        // Stepped back, an assignment waits again; played, one arrives after the other.
        await page.EvaluateAsync("document.querySelector('[aria-label=\"one step back\"]').click()");
        Assert.Equal(1, (int)(await page.EvaluateAsync("document.querySelector('.lane').querySelectorAll('.chip').length"))!);
        await page.EvaluateAsync("[...document.querySelectorAll('button')].find(button => button.textContent === 'Play').click()");
        await page.WaitAsync($"{Live}.steps.step() === 24");
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task A_followed_tokens_steps_are_the_layers_numbers_and_every_step_is_a_drawing()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var figure = _figures["follow"]();
        Assert.Equal(8, figure.Stills.Count);
        await using var page = await OpenAsync(figure);
        Task<JsonNode?> Row(int row) => page.EvaluateAsync($"[...document.querySelectorAll('.row')[{row}].querySelectorAll('.value')].map(cell => +cell.textContent)");
        void AssertShown(Tensor expected, JsonNode? seen) =>
            Assert.All(expected.data<float>().ToArray().Zip(Numbers(seen!)), pair => Assert.Equal(pair.First, pair.Second, 0.00501));

        AssertShown(_hidden[3].clone(), await Row(0));
        await page.EvaluateAsync("document.querySelector('[aria-label=\"one step on\"]').click()");
        var routing = _layer.Router.forward(new(_hidden.unsqueeze(0)));
        AssertShown(routing.Logits[3], await Row(1));
        await page.EvaluateAsync($"{Live}.steps.go(4)");
        var experts = routing.TopKExperts;
        for (var choice = 0; choice < 2; choice++)
        {
            var together = experts.eq(experts[3, choice]).any(1).nonzero().flatten().data<long>().ToArray();
            Assert.Equal(together, (await Row(choice))!.AsArray().Select(token => (long)token!));
        }

        await page.EvaluateAsync($"{Live}.steps.go(7)");
        var output = _layer.forward(_hidden.unsqueeze(0), new())[0, 3];
        AssertShown(output, await Row(1));
        AssertShown(_hidden[3].clone() + output, await Row(2));
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task A_replayed_training_shows_every_stages_loads_and_their_MaxVio()
    {
        var runs = _runs;
        Assert.Throws<ArgumentException>(() => LiveFigures.CollapseReplayed(runs, layer: 2));
        await using var page = await OpenAsync(_figures["collapse"]());
        foreach (var stage in (int[])[0, 7, runs[0].Stages.Count - 1])
        {
            await page.EvaluateAsync($"var range = document.querySelector('input[type=range]'); range.value = {stage}; range.dispatchEvent(new Event('input'))");
            var shown = (await page.EvaluateAsync("[...document.querySelectorAll('.numbers')].map(line => line.textContent)"))!.AsArray();
            var heights = (await page.EvaluateAsync("[...document.querySelectorAll('.column > span')].map(bar => parseFloat(bar.style.blockSize))"))!;
            var highest = runs.Max(run => run.Stages.Max(one => one.LoadOf(1).Shares.Max()));
            double[] expected = [.. runs.SelectMany(run => run.Stages[stage].LoadOf(1).Shares).Select(share => 100 * share / highest)];
            Assert.All(expected.Zip(Numbers(heights)), pair => Assert.Equal(pair.First, pair.Second, 0.01));
            for (var run = 0; run < 2; run++)
            {
                var (now, load) = (runs[run].Stages[stage], runs[run].Stages[stage].LoadOf(1));
                Assert.Equal(string.Create(CultureInfo.InvariantCulture,
                    $"MaxVio {load.MaxViolation:0.00}hardly used {load.Shares.Count(share => share < 0.1 / 16)}loss {now.Loss:0.000}"), (string?)shown[run]);
            }
        }

        await page.EvaluateAsync($"{Live}.steps.go({runs[0].Stages.Count - 3}); [...document.querySelectorAll('button')].find(button => button.textContent === 'Play').click()");
        await page.WaitAsync($"{Live}.steps.step() === {runs[0].Stages.Count - 1}");
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task What_fits_counts_every_catalog_model_as_the_library_does()
    {
        var models = _decoders;
        await using var page = await OpenAsync(_figures["what fits"]());
        foreach (var type in (WeightType[])[WeightType.Float32, WeightType.BFloat16, WeightType.Float8, WeightType.Int4])
            foreach (var context in (int[])[256, 8192, 1 << 20])
            {
                var seen = (await page.EvaluateAsync($"Array.from({{ length: {models.Length} }}, (_, i) => {Live}.numbers(i, {WeightBytes.BitsPerWeight(type)}, {context}, 1e11))"))!.AsArray();
                foreach (var (model, numbers) in models.Zip(seen))
                {
                    var (count, cache) = (ParameterCount.Of(model.Config), KeyValueCacheSize.Bytes(model.Config, context));
                    var read = count.Active(model.Config.TiedEmbeddings ? ActiveConvention.AllIn : ActiveConvention.WithoutInputEmbedding);
                    Assert.Equal((model.Name, WeightBytes.Of(count.TotalParameters, type) + cache, cache, WeightBytes.Of(read, type) + cache),
                        (model.Name, (long)(double)numbers!["held"]!, (long)(double)numbers["cache"]!, (long)(double)numbers["read"]!));
                    Assert.Equal(1e11 / (WeightBytes.Of(read, type) + cache), (double)numbers["perSecond"]!, 1e-6);
                }
            }

        // 93.4 GB of Mixtral do not fit into 32 GB, and at 4 bits they do.
        Assert.Contains("does not fit", (string)(await page.EvaluateAsync("document.querySelector('[data-live]').innerText"))!, StringComparison.Ordinal);
        await page.EvaluateAsync("var bits = document.querySelectorAll('select')[1]; bits.selectedIndex = bits.options.length - 1; bits.dispatchEvent(new Event('change'))");
        Assert.DoesNotContain("does not fit", (string)(await page.EvaluateAsync("document.querySelector('[data-live]').innerText"))!, StringComparison.Ordinal);
        AssertNothingIn(page.Problems);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_figure_fits_a_phone_names_its_controls_and_keeps_still_where_motion_is_not_wanted(string name)
    {
        var figure = _figures[name]();
        await using var page = await OpenAsync(figure);
        await page.SendAsync("Emulation.setDeviceMetricsOverride", new { width = 390, height = 844, deviceScaleFactor = 2, mobile = true });
        await page.SendAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-reduced-motion", value = "reduce" } } });
        await page.SendAsync("Page.reload");
        await page.WaitAsync($"innerWidth === 390 && {Live}");
        Assert.InRange((int)(await page.EvaluateAsync("document.documentElement.scrollWidth"))!, 300, 390);
        Assert.Equal(0, (int)(await page.EvaluateAsync("[...document.querySelectorAll('button')].filter(button => button.textContent === 'Play' && button.offsetWidth > 0).length"))!);
        Assert.Equal(0, (int)(await page.EvaluateAsync("[...document.querySelectorAll('input, select, textarea')].filter(one => !one.labels.length && !one.getAttribute('aria-label')).length"))!);
        Assert.Equal(0, (int)(await page.EvaluateAsync("[...document.querySelectorAll('button')].filter(one => !one.textContent && !one.getAttribute('aria-label')).length"))!);
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public async Task In_an_editor_a_figure_starts_although_its_script_runs_before_it_is_in_the_document()
    {
        Needs.Browser();
        await using var page = await OfflinePage.OpenAsync();
        await page.EvaluateAsync($$"""
            var output = document.createElement("div");
            output.innerHTML = {{JsonValue.Create(_figures["playground"]().ToHtml()).ToJsonString()}};
            (0, eval)(output.querySelector("script:not([type])").textContent);
            document.body.append(output);
            """);
        await page.WaitAsync(Live);
        AssertNothingIn(page.Problems);
    }

    [Fact]
    public void Without_scripts_a_figure_is_a_drawing_of_its_first_state_and_a_sentence()
    {
        var html = _figures["playground"]().ToHtml();
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.Contains("× 0.73", System.Net.WebUtility.HtmlDecode(html), StringComparison.Ordinal);
        Assert.Contains("The figure stands still here", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    /// <summary>A page with the figure alone; it stays in artifacts/live to be looked at.</summary>
    private static async Task<OfflinePage> OpenAsync(LiveFigure figure)
    {
        Needs.Browser();
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "live")).FullName, $"{figure.Title}.html");
        await File.WriteAllTextAsync(path, $"""
            <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>{figure.Title}</title></head>
            <body>{figure.ToHtml()}</body></html>
            """);
        var page = await OfflinePage.OpenAsync();
        await page.GoToAsync(new Uri(path).AbsoluteUri);
        await page.WaitAsync(Live);
        return page;
    }

    private static double[] Numbers(JsonNode array) => [.. array.AsArray().Select(number => (double)number!)];

    private static void AssertNothingIn(IEnumerable<string> problems) => Assert.True(!problems.Any(), string.Join('\n', problems));
}
