using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.HuggingFace;

public sealed class HuggingFaceConfigWriterTests
{
    private static readonly MoeConfig _moe = new(8, 2, 24);

    public static TheoryData<string> CatalogIds =>
        [.. ModelCatalog.All.Where(m => HuggingFaceConfigWriter.ModelTypes.Contains(m.Config.ModelType)).Select(m => m.Id)];

    public static TheoryData<string> ModelTypes => [.. HuggingFaceConfigWriter.ModelTypes];

    [Theory]
    [MemberData(nameof(CatalogIds))]
    public void The_config_of_a_published_model_reads_back_the_same(string id) => AssertReadsBack(ModelCatalog.Find(id).Config);

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void Every_option_of_a_family_reads_back_the_same(string modelType)
    {
        foreach (var config in Options(modelType))
        {
            AssertReadsBack(config);
            AssertReadsBack(config with { TiedEmbeddings = true, MaxPositions = 77 });
            foreach (var scaling in Scalings) AssertReadsBack(config with { Rotary = config.Rotary! with { Base = 12345.5, Scaling = scaling } });
        }
    }

    [Theory]
    [MemberData(nameof(ModelTypes))]
    public void The_keys_that_every_engine_reads_are_there(string modelType)
    {
        var json = JsonNode.Parse(HuggingFaceConfigWriter.ToJson(Options(modelType).First(), TorchSharp.torch.ScalarType.BFloat16))!.AsObject();
        foreach (var key in new[] { "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "rms_norm_eps", "hidden_act", "tie_word_embeddings" })
            Assert.True(json[key] is not null, key);
        Assert.Equal("bfloat16", json["torch_dtype"]!.GetValue<string>());
    }

    [Fact]
    public void What_would_be_lost_is_named()
    {
        var llama = Dense("llama");
        Assert.Contains("FeedForward",
            Assert.Throws<NotSupportedException>(() => HuggingFaceConfigWriter.ToJson(llama with { FeedForward = FeedForwardKind.Relu })).Message);
        Assert.Contains("Norm",
            Assert.Throws<NotSupportedException>(() => HuggingFaceConfigWriter.ToJson(llama with { Norm = new(NormKind.Layer, 1e-5) })).Message);
        var longRope = llama with { Rotary = new(1e4) { Scaling = new("longrope", 2) } };
        Assert.Contains("longrope", Assert.Throws<NotSupportedException>(() => HuggingFaceConfigWriter.ToJson(longRope)).Message);
        Assert.Contains("dbrx", Assert.Throws<NotSupportedException>(() => HuggingFaceConfigWriter.ToJson(ModelCatalog.Find("dbrx").Config)).Message);
        var alternating = Dense("deepseek") with { MoeLayers = [true, false, true, true], Moe = _moe };
        Assert.Contains("MoeLayers", Assert.Throws<NotSupportedException>(() => HuggingFaceConfigWriter.ToJson(alternating)).Message);
        var mixed = Dense("mistral") with
        {
            LayerAttention = [AttentionKind.SlidingWindow, AttentionKind.Full, AttentionKind.Full, AttentionKind.Full],
            Attention = new(4, 2, 8) { SlidingWindow = 5 }
        };
        Assert.Contains("LayerAttention", Assert.Throws<NotSupportedException>(() => HuggingFaceConfigWriter.ToJson(mixed)).Message);
    }

    private static RotaryScaling[] Scalings =>
    [
        new("linear", 2),
        new("dynamic", 4) { OriginalMaxPositions = 100 },
        new("llama3", 8) { OriginalMaxPositions = 8192, LowFrequencyFactor = 1.5, HighFrequencyFactor = 3 },
        new("yarn", 32) { OriginalMaxPositions = 4096, BetaFast = 30, BetaSlow = 2, Truncate = false, AttentionFactor = 1.25 },
        new("yarn", 40) { OriginalMaxPositions = 4096, MScale = 1, MScaleAllDimensions = 0.707 },
    ];

    /// <summary>Small models that between them use every option of a family.</summary>
    internal static IEnumerable<ModelConfig> Options(string modelType)
    {
        var dense = Dense(modelType);
        var window = dense.Attention with { SlidingWindow = 5 };
        AttentionKind[] sliding = [AttentionKind.SlidingWindow, AttentionKind.SlidingWindow, AttentionKind.SlidingWindow, AttentionKind.SlidingWindow];
        AttentionKind[] lateSliding = [AttentionKind.Full, AttentionKind.Full, AttentionKind.SlidingWindow, AttentionKind.SlidingWindow];
        var normalized = _moe with { NormalizeWeights = true, AuxiliaryLossWeight = 0.01 };
        var biased = dense.Attention with { QueryKeyValueBias = true, OutputBias = true };
        return modelType switch
        {
            "llama" =>
                [dense, dense with { Attention = biased, FeedForwardBias = true }, dense with { FeedForward = FeedForwardKind.GeGlu },
                    dense with { FeedForward = FeedForwardKind.GeGluTanh }],
            "mistral" => [dense, dense with { Attention = window, LayerAttention = sliding }],
            "mixtral" => [Sparse(dense, normalized), Sparse(dense, normalized) with { Attention = window, LayerAttention = sliding }],
            "olmoe" =>
                [.. new[] { _moe,
                    normalized }.Select(m => Sparse(dense with { Attention = dense.Attention with { QueryKeyNorm = QueryKeyNorm.FullWidth, Clip = 8.5 } }, m))],
            "qwen3" => [.. Qwen3(dense)],
            "qwen3_moe" => [.. Qwen3(dense).SelectMany(d => new[] { Sparse(d, normalized), Mixed(d, _moe) })],
            "qwen2_moe" =>
                [.. new[] { normalized, _moe }.SelectMany(m => new[] { dense, dense with { Attention = dense.Attention with { QueryKeyValueBias = true } },
                    dense with { Attention = window, LayerAttention = lateSliding } }
                .Select(d => Mixed(d, m with { SharedIntermediateSize = 40, SharedExpertGate = true })))],
            "qwen3_next" => [.. new[] { normalized, _moe }.SelectMany(m => new[] { true, false }.Select(gate => Sparse(dense with
            {
                Attention = dense.Attention with { QueryKeyNorm = QueryKeyNorm.PerHead, OutputGate = gate },
                Rotary = new(10000) { Fraction = 0.5 },
                Norm = new(NormKind.Rms, 1e-6) { ZeroCentered = true },
                LinearAttention = new(2, 4, 8, 16, 4),
                LayerAttention = [AttentionKind.Linear, AttentionKind.Full, AttentionKind.Linear, AttentionKind.Full],
            }, m with { SharedIntermediateSize = 24, SharedExpertGate = true })))],
            "deepseek" =>
                [dense, Mixed(dense, _moe with { SharedIntermediateSize = 48 }), Sparse(dense with { Attention = biased }, normalized), Periodic(dense, _moe)],
            "deepseek_v3" or "kimi_k2" => [.. new int?[] { 24, null }.SelectMany(rank => new[] { true, false }.Select(isV3 => Mixed(Latent(dense, rank, isV3), normalized with
            {
                SharedIntermediateSize = 24,
                RoutedScalingFactor = 2.5,
                GroupCount = 4,
                GroupsPerToken = isV3 ? 2 : 4,
                SelectionBias = isV3,
                Router = isV3 ? RouterKind.SigmoidTopK : RouterKind.SoftmaxTopK,
            })))],
            "glm4_moe" => [.. new[] { true, false }.Select(option => Mixed(dense with
            {
                Attention = dense.Attention with { QueryKeyValueBias = option, QueryKeyNorm = option ? QueryKeyNorm.PerHead : QueryKeyNorm.None },
                Rotary = new(10000) { Fraction = option ? 0.5 : 1 },
            }, normalized with { Router = RouterKind.SigmoidTopK, SelectionBias = true, SharedIntermediateSize = option
                ? 24
                : 0, RoutedScalingFactor = 1.5 }))],
            "gpt_oss" =>
                [.. new[] { sliding,
                    lateSliding }.SelectMany(layers => new[] { window, biased with { SlidingWindow = 5 } }.Select(attention => Sparse(dense with
            {
                Attention = attention with { Sinks = true },
                LayerAttention = layers,
                FeedForward = FeedForwardKind.ClampedSwiGlu,
                SwiGluClamp = layers == sliding ? new() : new(3.5, 1.25),
            }, normalized with { RouterBias = true, ExpertBias = true })))],
            "minimax_m2" => [.. new[] { true, false }.Select(option => Sparse(dense with
            {
                Attention = dense.Attention with { QueryKeyNorm = QueryKeyNorm.FullWidth },
                Rotary = new(10000) { Fraction = option ? 0.5 : 1 },
            }, normalized with { Router = RouterKind.SigmoidTopK, SelectionBias = option }))],
            _ => throw new ArgumentException(modelType),
        };

        IEnumerable<ModelConfig> Qwen3(ModelConfig d)
        {
            var perHead = d.Attention with { QueryKeyNorm = QueryKeyNorm.PerHead };
            yield return d with { Attention = perHead };
            yield return d with { Attention = perHead with { QueryKeyValueBias = true, OutputBias = true } };
            yield return d with { Attention = perHead with { SlidingWindow = 5 }, LayerAttention = sliding };
            if (modelType == "qwen3_moe") yield break; // its windows are for all layers or none
            yield return d with { Attention = perHead with { SlidingWindow = 5 }, LayerAttention = lateSliding };
            yield return d with
            {
                Attention = perHead with { SlidingWindow = 5 },
                LayerAttention = [AttentionKind.SlidingWindow, AttentionKind.Full, AttentionKind.SlidingWindow, AttentionKind.Full]
            };
        }
    }

    private static ModelConfig Dense(string modelType) => ModelConfig.Dense(32, 4, 4, 2, 48, 64) with { ModelType = modelType, Attention = new(4, 2, 16) };

    private static ModelConfig Sparse(ModelConfig config, MoeConfig moe) =>
        config with { MoeLayers = [true, true, true, true], Moe = moe, IntermediateSize = 0 };

    private static ModelConfig Mixed(ModelConfig config, MoeConfig moe) => config with { MoeLayers = [false, true, true, true], Moe = moe };

    private static ModelConfig Periodic(ModelConfig config, MoeConfig moe) => config with { MoeLayers = [false, false, true, false], Moe = moe };

    private static ModelConfig Latent(ModelConfig config, int? rank, bool interleaved)
    {
        var latent = new LatentAttentionConfig(rank, 16, 8, 4, 10);
        return config with
        {
            LatentAttention = latent,
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Latent, 4)],
            Attention = new(4, 4, latent.QueryHeadSize) { QueryKeyValueBias = !interleaved, OutputBias = !interleaved },
            Rotary = new(10000) { Interleaved = interleaved },
        };
    }

    private static void AssertReadsBack(ModelConfig config)
    {
        var read = HuggingFaceConfig.Parse(HuggingFaceConfigWriter.ToJson(config));
        // The size of dense blocks means nothing where there are none.
        if (!config.MoeLayers.Contains(false)) (read, config) = (read with { IntermediateSize = 0 }, config with { IntermediateSize = 0 });
        Assert.Equal(JsonSerializer.Serialize(config), JsonSerializer.Serialize(read));
    }
}
