using CsCheck;
using MoeWorkbook.Tests.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Layers;

public sealed class KeyValueCacheTests
{
    [Theory]
    [MemberData(nameof(CausalLanguageModelTests.Families), MemberType = typeof(CausalLanguageModelTests))]
    public void Prefill_and_decoding_in_pieces_of_any_length_give_the_logits_of_a_full_forward(string name) => PiecesGiveTheWhole(name, CPU);

    [Theory]
    [MemberData(nameof(CausalLanguageModelTests.Families), MemberType = typeof(CausalLanguageModelTests))]
    public void Prefill_and_decoding_in_pieces_give_the_logits_of_a_full_forward_on_a_GPU(string name) => PiecesGiveTheWhole(name, Needs.Cuda());

    private static void PiecesGiveTheWhole(string name, Device device)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var golden = new GoldenCheckpoint(name);
        using var model = golden.Load(device: device);
        var tokens = golden.TokenTensor.to(device);
        var whole = model.forward(tokens);
        Pieces([.. Enumerable.Repeat(true, 9)]);
        Gen.Bool.Array[9].Holds(5, Pieces);

        void Pieces(bool[] cuts) // after each of the ten positions but the last
        {
            using var cache = new KeyValueCache();
            var (pieces, start) = (new List<Tensor>(), 0);
            for (var end = 1; end <= 10; end++)
            {
                if (end < 10 && !cuts[end - 1]) continue;
                pieces.Add(model.forward(tokens.narrow(1, start, end - start), cache));
                start = end;
            }

            Assert.Equal(10, cache.Length);
            Assert.True(cat(pieces, 1).allclose(whole, rtol: 0, atol: 2e-5), $"{pieces.Count} pieces");
        }
    }

    [Fact]
    public void Latent_attention_caches_only_the_latent_vector_and_the_shared_rotary_key()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var golden = new GoldenCheckpoint("deepseek-v3-tiny");
        using var model = golden.Load();
        using var cache = new KeyValueCache();
        model.forward(golden.TokenTensor, cache);
        Assert.Equal(2 * 10 * 3 * (16 + 4) * 4, cache.Bytes); // sequences, positions, layers, rank + rotary size, bytes
        Assert.Equal(cache.Bytes / 20, KeyValueCacheSize.BytesPerToken(golden.Config, 4));
    }

    [Fact]
    public void A_sliding_window_layer_keeps_no_more_than_its_window()
    {
        using var noGradient = no_grad();
        var config = ModelConfig.Dense(16, 1, 2, 2, 32, 20);
        config = config with { LayerAttention = [AttentionKind.SlidingWindow], Attention = config.Attention with { SlidingWindow = 4 } };
        using var model = new CausalLanguageModel(config);
        using var cache = new KeyValueCache();
        for (var i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            model.forward(tensor(new long[] { i }, [1, 1]), cache);
        }

        Assert.Equal(20, cache.Length);
        Assert.Equal(2 * 3 * 16 * 4, cache.Bytes); // keys and values, the three positions that a new one still sees
    }

    [Fact]
    public void A_single_layer_runs_on_a_cache_that_its_user_advances()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var attention = new GroupedQueryAttention(16, new(4, 2, 8), new RotaryEmbedding(new(10000), 8));
        var hidden = randn(1, 6, 16);
        using var cache = new KeyValueCache();
        using var context = new ForwardContext { Cache = cache };
        var pieces = new List<Tensor>();
        for (var i = 0; i < 3; i++)
        {
            pieces.Add(attention.forward(hidden.narrow(1, 2 * i, 2), context));
            cache.Advance(2);
        }

        Assert.True(cat(pieces, 1).allclose(attention.forward(hidden), atol: 1e-6));
    }

    [Fact]
    public void A_thousand_decode_steps_hold_the_number_of_live_tensors_constant()
    {
        using var noGradient = no_grad();
        using var model = new CausalLanguageModel(ModelConfig.Dense(8, 1, 2, 1, 16, 20).MixtureOfExperts(4, 2));
        using var cache = new KeyValueCache();
        using var token = tensor(new long[] { 3 }, [1, 1]);
        model.forward(token, cache).Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 1000; i++) model.forward(token, cache).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(1001, cache.Length);
    }

    [Fact]
    public void Another_batch_size_on_a_filled_cache_is_an_exception_with_both_shapes()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var model = new CausalLanguageModel(ModelConfig.Dense(8, 1, 2, 1, 16, 20));
        using var cache = new KeyValueCache();
        model.forward(tensor(new long[] { 1, 2 }, [1, 2]), cache);
        var error = Assert.Throws<ArgumentException>(() => model.forward(tensor(new long[] { 1, 2 }, [2, 1]), cache));
        Assert.Contains("[2, 1, 1, 4]", error.Message);
        Assert.Contains("[1, 1, 1, 4]", error.Message);
    }
}
