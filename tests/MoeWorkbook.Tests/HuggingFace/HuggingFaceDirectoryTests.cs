using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.HuggingFace;

public sealed class HuggingFaceDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();

    public static TheoryData<string> Families =>
    [
        "llama-tiny", "mixtral-tiny", "qwen3-moe-tiny", "qwen2-moe-tiny", "olmoe-tiny",
        "deepseek-tiny", "deepseek-v3-tiny", "glm4-moe-tiny", "gpt-oss-tiny", "qwen3-next-tiny", "minimax-m2-tiny",
    ];

    public static TheoryData<string> Options =>
    [
        "options/llama-tanh-gelu", "options/mistral-window", "options/mixtral-window-yarn", "options/qwen2-moe-windows", "options/qwen3-windows", "options/qwen3-moe-windows",
        "options/qwen3-next-heads", "options/olmoe-clip", "options/deepseek-top-one", "options/deepseek-v3-defaults", "options/gpt-oss-clamp", "options/glm4-moe-groups",
    ];

    public void Dispose() => _temporary.Dispose();

    [Theory]
    [MemberData(nameof(Options))]
    public void Options_that_the_published_models_leave_alone_give_the_logits_of_an_independent_implementation(string name)
    {
        var directory = _temporary.Path("saved");
        using (var model = HuggingFaceDirectory.Load(Golden(name)))
        {
            AssertLogits(model, name, 1e-4);
            HuggingFaceDirectory.Save(model, directory);
        }

        using var saved = HuggingFaceDirectory.Load(directory);
        AssertLogits(saved, name, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_golden_directory_gives_the_logits_of_independent_implementations(string name)
    {
        using var model = HuggingFaceDirectory.Load(Golden(name));
        AssertLogits(model, name, 1e-4);
    }

    [Fact]
    public void The_language_model_of_a_published_Qwen3_5_file_gives_the_logits_of_an_independent_forward_pass()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = HuggingFaceDirectory.Load(Golden("qwen35-published"));
        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden("qwen35-published"), "expected.json")))!;
        var tokens = expected["tokens"]!.AsArray().Select(id => id!.GetValue<long>()).ToArray();
        var row = model.forward(tensor(tokens, [1, tokens.Length]))[0, -1].data<float>().ToArray();
        var wanted = expected["last_row_first5"]!.AsArray().Select(value => value!.GetValue<float>()).ToArray();
        for (var i = 0; i < wanted.Length; i++) Assert.Equal(wanted[i], row[i], 1e-4f);
        Assert.Equal([7L], HuggingFaceGeneration.Read(Golden("qwen35-published"), 1).StopTokens);
    }

    [Theory]
    [InlineData("llama4", "llama-4-scout")]
    [InlineData("dbrx", "dbrx")]
    [InlineData("grok-1", "grok-1")]
    [InlineData("phimoe", "phi-3.5-moe")]
    [InlineData("switch_transformers", "switch-base-8")]
    public void A_model_without_a_forward_pass_is_not_called_incomplete(string type, string id)
    {
        var directory = _temporary.Path("model");
        Directory.CreateDirectory(directory);
        var catalog = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "data", "models", id + ".json")))!;
        File.WriteAllText(Path.Combine(directory, "config.json"), catalog["config"]!.ToJsonString());
        Assert.Contains($"no forward pass for {type}", Assert.Throws<CheckpointException>(() => HuggingFaceDirectory.Load(directory)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"quant_method":"bitsandbytes","load_in_4bit":true}""", "\"quantization_config.quant_method\" is \"bitsandbytes\"; known are")]
    [InlineData("""{"group_size":64,"bits":4}""", "\"quantization_config.quant_method\" is missing")]
    [InlineData("""{"quant_method":"compressed-tensors","format":"pack-quantized"}""", "\"quantization_config.format\" is \"pack-quantized\"; known here")]
    public void A_quantisation_that_is_not_known_is_named(string quantization, string message)
    {
        var directory = Copy("llama-tiny");
        Change(directory, json => json["quantization_config"] = JsonNode.Parse(quantization));
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() => HuggingFaceDirectory.Load(directory)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_saved_model_has_the_published_tensors_bit_by_bit_and_a_config_that_says_the_same(string name)
    {
        var directory = _temporary.Path("saved");
        using (var model = HuggingFaceDirectory.Load(Golden(name))) HuggingFaceDirectory.Save(model, directory);
        using var published = SafetensorsFile.Open(Path.Combine(Golden(name), "model.safetensors"));
        using var saved = SafetensorsFile.Open(Path.Combine(directory, "model.safetensors"));
        Assert.Equal(published.Entries.Keys.Order(StringComparer.Ordinal), saved.Entries.Keys.Order(StringComparer.Ordinal));
        using var scope = NewDisposeScope();
        foreach (var (tensor, entry) in published.Entries)
        {
            Assert.Equal(entry.Shape, saved.Entries[tensor].Shape);
            Assert.Equal(entry.Type, saved.Entries[tensor].Type);
            Assert.Equal(published.Read(tensor).bytes.ToArray(), saved.Read(tensor).bytes.ToArray());
        }

        Assert.Equal(Text(HuggingFaceConfig.Read(Golden(name))), Text(HuggingFaceConfig.Read(directory)));
        AssertPublishedKeys(Path.Combine(Golden(name), "config.json"), Path.Combine(directory, "config.json"));
        Assert.Equal(2, Directory.GetFiles(directory).Length);
        Assert.Single(Directory.GetDirectories(_temporary.Root));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_model_saved_in_shards_and_in_bfloat16_loads_again(string name)
    {
        var directory = _temporary.Path("shards");
        using (var model = HuggingFaceDirectory.Load(Golden(name), dtype: ScalarType.BFloat16)) HuggingFaceDirectory.Save(model, directory, shardBytes: 20_000);
        Assert.True(Directory.GetFiles(directory, "model-0*-of-0*.safetensors").Length > 2);
        Assert.Equal("bfloat16", JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "config.json")))!["torch_dtype"]!.GetValue<string>());
        using var first = HuggingFaceDirectory.Load(directory);
        using var second = HuggingFaceDirectory.Load(Golden(name), dtype: ScalarType.BFloat16);
        using var scope = NewDisposeScope();
        foreach (var ((ours, a), (theirs, b)) in first.named_parameters().Zip(second.named_parameters()))
        {
            Assert.Equal(theirs, ours);
            Assert.True(equal(a, b.to(ScalarType.Float32)).all().item<bool>(), ours);
        }
    }

    [Theory]
    [MemberData(nameof(HuggingFaceConfigWriterTests.ModelTypes), MemberType = typeof(HuggingFaceConfigWriterTests))]
    public void A_model_with_any_option_of_its_family_computes_the_same_after_saving_and_loading(string modelType)
    {
        using var noGradient = no_grad();
        foreach (var (config, i) in HuggingFaceConfigWriterTests.Options(modelType).Select((config, i) => (config, i)))
        {
            if (config.Moe is { Router: RouterKind.SoftmaxTopK, GroupCount: > 1 }) continue; // has no forward pass
            using var scope = NewDisposeScope();
            var directory = _temporary.Path($"{i}");
            using var model = new CausalLanguageModel(config with { TiedEmbeddings = i % 2 == 0 }, seed: 5);
            model.eval();
            foreach (var parameter in model.parameters()) parameter.normal_(0.3, 0.5, new Generator(11)); // biases and norms too
            HuggingFaceDirectory.Save(model, directory);
            using var loaded = HuggingFaceDirectory.Load(directory);
            var tokens = tensor(new long[] { 3, 1, 4, 1, 5, 9, 2, 6 }, [1, 8]);
            Assert.True(model.forward(tokens).eq(loaded.forward(tokens)).all().item<bool>(), $"option {i}");
        }
    }

    [Fact]
    public void Newer_tools_stacked_experts_under_Qwens_names_load_too()
    {
        var directory = Copy("mixtral-tiny");
        Rewrite(directory, tensors =>
        {
            for (var layer = 0; layer < 2; layer++)
            {
                string old = $"model.layers.{layer}.block_sparse_moe", mlp = $"model.layers.{layer}.mlp";
                tensors[$"{mlp}.experts.gate_up_proj"] = stack(Enumerable.Range(0, 4).Select(e => cat([tensors[$"{old}.experts.{e}.w1.weight"], tensors[$"{old}.experts.{e}.w3.weight"]], 0)));
                tensors[$"{mlp}.experts.down_proj"] = stack(Enumerable.Range(0, 4).Select(e => tensors[$"{old}.experts.{e}.w2.weight"]));
                tensors[$"{mlp}.gate.weight"] = tensors[$"{old}.gate.weight"];
            }

            foreach (var name in tensors.Keys.Where(n => n.Contains("block_sparse_moe", StringComparison.Ordinal)).ToList()) tensors.Remove(name);
        });
        using var model = HuggingFaceDirectory.Load(directory);
        AssertLogits(model, "mixtral-tiny", 1e-4);
    }

    [Fact]
    public void The_split_projections_of_linear_attention_load_too()
    {
        var directory = Copy("qwen3-next-tiny");
        Rewrite(directory, tensors =>
        {
            for (var layer = 0; layer < 3; layer++)
            {
                // 2 key heads of size 8, 4 value heads of size 8: a key head's 48 rows are query 8, key 8, value 16, gate 16.
                var prefix = $"model.layers.{layer}.linear_attn.in_proj_";
                var fused = tensors[prefix + "qkvz.weight"].view(2, 48, 32);
                Tensor Rows(int start, int count) => fused.narrow(1, start, count).reshape(-1, 32);
                tensors[prefix + "qkv.weight"] = cat([Rows(0, 8), Rows(8, 8), Rows(16, 16)], 0);
                tensors[prefix + "z.weight"] = Rows(32, 16);
                var rates = tensors[prefix + "ba.weight"].view(2, 4, 32);
                tensors[prefix + "b.weight"] = rates.narrow(1, 0, 2).reshape(4, 32);
                tensors[prefix + "a.weight"] = rates.narrow(1, 2, 2).reshape(4, 32);
                tensors.Remove(prefix + "qkvz.weight");
                tensors.Remove(prefix + "ba.weight");
            }
        });
        using var model = HuggingFaceDirectory.Load(directory);
        AssertLogits(model, "qwen3-next-tiny", 1e-4);
    }

    [Fact]
    public void Known_tensors_without_a_use_are_skipped()
    {
        var directory = Copy("deepseek-v3-tiny");
        Rewrite(directory, tensors =>
        {
            tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = zeros(2);
            tensors["model.layers.3.eh_proj.weight"] = zeros(32, 64);
        });
        Change(directory, json => json["num_nextn_predict_layers"] = 1);
        using var model = HuggingFaceDirectory.Load(directory);
        AssertLogits(model, "deepseek-v3-tiny", 1e-4);
    }

    [Fact]
    public void A_tied_head_that_differs_from_the_embedding_is_a_contradiction()
    {
        var directory = Copy("llama-tiny");
        Change(directory, json => json["tie_word_embeddings"] = true);
        AssertFails(directory, "lm_head.weight", "differs from the embedding", "tie_word_embeddings");
    }

    [Fact]
    public void Tensors_without_elements_are_skipped()
    {
        var directory = Copy("llama-tiny");
        Rewrite(directory, tensors => tensors["model.layers.0.mlp.shared_experts.up_proj.weight"] = zeros(0, 32));
        using var model = HuggingFaceDirectory.Load(directory);
        AssertLogits(model, "llama-tiny", 1e-4);
    }

    [Fact]
    public void A_tied_head_that_is_stored_all_the_same_is_skipped()
    {
        var directory = Copy("llama-tiny");
        Rewrite(directory, tensors => tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]);
        Change(directory, json => json["tie_word_embeddings"] = true);
        using var model = HuggingFaceDirectory.Load(directory);
        Assert.DoesNotContain(model.named_parameters(), p => p.name.StartsWith("lm_head", StringComparison.Ordinal));
        HuggingFaceDirectory.Save(model, directory, overwrite: true);
        using var again = HuggingFaceDirectory.Load(directory);
        Assert.True(again.Config.TiedEmbeddings);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        var directory = Copy("qwen3-moe-tiny");
        Rewrite(directory, tensors => tensors.Remove("model.layers.1.mlp.experts.7.up_proj.weight"));
        AssertFails(directory, "1 tensor is missing", "model.layers.1.mlp.experts.7.up_proj.weight");
    }

    [Fact]
    public void Unknown_tensors_are_counted_and_the_first_are_named()
    {
        var directory = Copy("llama-tiny");
        Rewrite(directory, tensors =>
        {
            for (var i = 0; i < 8; i++) tensors[$"surprise.{i}"] = zeros(1);
        });
        AssertFails(directory, "8 tensors are not known", "surprise.0", "surprise.4, …");
    }

    [Fact]
    public void A_prediction_layer_that_the_config_does_not_announce_is_unknown()
    {
        var directory = Copy("deepseek-v3-tiny");
        Rewrite(directory, tensors => tensors["model.layers.3.eh_proj.weight"] = zeros(32, 64));
        AssertFails(directory, "not known", "model.layers.3.eh_proj.weight");
    }

    [Fact]
    public void A_wrong_shape_is_named_with_both_shapes()
    {
        var directory = Copy("llama-tiny");
        Rewrite(directory, tensors => tensors["model.norm.weight"] = zeros(33));
        AssertFails(directory, "model.norm.weight", "[33]", "[32]");
    }

    [Fact]
    public void A_transposed_matrix_is_a_wrong_shape()
    {
        var directory = Copy("llama-tiny");
        Rewrite(directory, tensors => tensors["model.layers.0.mlp.up_proj.weight"] = tensors["model.layers.0.mlp.up_proj.weight"].t());
        AssertFails(directory, "up_proj.weight", "[32, 64]", "[64, 32]");
    }

    [Fact]
    public void A_wrong_type_is_named_with_those_allowed()
    {
        var directory = Copy("llama-tiny");
        Rewrite(directory, tensors => tensors["model.norm.weight"] = zeros(32, dtype: ScalarType.Int32));
        AssertFails(directory, "model.norm.weight", "I32", "BF16");
    }

    [Theory]
    [InlineData("hidden_size", int.MaxValue)]
    [InlineData("moe_intermediate_size", int.MaxValue)]
    [InlineData("vocab_size", int.MaxValue)]
    [InlineData("num_experts", int.MaxValue)]
    [InlineData("num_experts", 1_000_000)]
    [InlineData("num_hidden_layers", 65_536)]
    [InlineData("num_hidden_layers", 50)]
    [InlineData("head_dim", int.MaxValue)]
    [InlineData("head_dim", 1_000_000)]
    [InlineData("num_attention_heads", 1 << 30)]
    public void A_config_of_a_huge_model_fails_at_once_and_before_anything_is_allocated(string key, int value)
    {
        var directory = Copy("qwen3-moe-tiny");
        Change(directory, json => json[key] = value);
        var (watch, allocated) = (System.Diagnostics.Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        Assert.Throws<CheckpointException>(() => HuggingFaceDirectory.Load(directory));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"it took {watch.Elapsed}");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 100_000_000, "it took memory");
    }

    [Fact]
    public void A_family_without_a_forward_pass_is_a_clear_error()
    {
        var directory = Copy("llama-tiny");
        File.WriteAllText(Path.Combine(directory, "config.json"),
            """{"model_type":"switch_transformers","num_layers":2,"num_heads":2,"d_model":8,"vocab_size":9,"d_kv":4,"d_ff":8,"num_experts":2,"num_sparse_encoder_layers":1,"num_sparse_decoder_layers":1}""");
        AssertFails(directory, "no forward pass for switch_transformers");
    }

    [Fact]
    public void Weights_in_an_unknown_quantisation_are_a_clear_error()
    {
        var directory = Copy("llama-tiny");
        Change(directory, json => json["quantization_config"] = new JsonObject { ["quant_method"] = "gptq" });
        var error = Assert.Throws<ModelConfigException>(() => HuggingFaceDirectory.Load(directory));
        Assert.Contains("gptq", error.Message);
    }

    [Fact]
    public void FP8_with_block_scales_loads_as_code_times_scale()
    {
        var directory = Copy("deepseek-v3-tiny");
        const string name = "model.layers.1.mlp.experts.3.gate_proj.weight"; // [12, 32]
        var codes = Enumerable.Range(0, 12 * 32).Select(i => (byte)(i % 0x70)).ToArray();
        float[] scales = [0.5f, 2, 0.25f, 4, 1, 8]; // blocks of 5 × 16: three rows of two
        using (var scope = NewDisposeScope())
        {
            Rewrite(directory, tensors =>
            {
                tensors[name] = tensor(codes, [12, 32]);
                tensors[name + "_scale_inv"] = tensor(scales, [3, 2]);
            }, asFloat8: name);
        }

        Change(directory, json => json["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["weight_block_size"] = new JsonArray(5, 16) });
        using var model = HuggingFaceDirectory.Load(directory);
        using var all = NewDisposeScope();
        var loaded = model.Decoder.Layers[1].Moe!.Experts.GateUp[3].narrow(0, 0, 12).data<float>().ToArray();
        for (var i = 0; i < loaded.Length; i++)
        {
            var expected = Dequantization.Float8Value(codes[i], SafetensorsType.Float8E4M3) * scales[i / 32 / 5 * 2 + i % 32 / 16];
            Assert.Equal(expected, loaded[i]);
        }
    }

    [Theory]
    [InlineData(64, 1)]
    [InlineData(1, 1)]
    [InlineData(64, 4)]
    [InlineData(64, 0)]
    public void Eight_bit_integers_with_a_scale_a_row_a_matrix_or_a_group_load(int scaleRows, int scaleColumns)
    {
        var directory = Copy("llama-tiny");
        const string name = "model.layers.0.mlp.up_proj.weight"; // [64, 32]
        var codes = Enumerable.Range(0, 64 * 32).Select(i => (sbyte)(i * 37 % 255 - 127)).ToArray();
        var columns = Math.Max(1, scaleColumns);
        var scales = Enumerable.Range(0, scaleRows * columns).Select(i => (i + 1) / 64f).ToArray();
        using var all = NewDisposeScope();
        Rewrite(directory, tensors =>
        {
            tensors[name] = tensor(codes, [64, 32]);
            tensors[name + "_scale"] = scaleColumns == 0 ? tensor(scales) : tensor(scales, [scaleRows, scaleColumns]);
        });
        using var model = HuggingFaceDirectory.Load(directory);
        var loaded = model.state_dict()["model.layers.0.mlp.up_proj.weight"].data<float>().ToArray();
        for (var i = 0; i < loaded.Length; i++)
            Assert.Equal(codes[i] * scales[scaleRows == 1 ? 0 : i / 32 * columns + i % 32 / (32 / columns)], loaded[i]);
    }

    [Fact]
    public void Scales_of_another_shape_are_named_with_both_shapes()
    {
        var directory = Copy("llama-tiny");
        const string name = "model.layers.0.mlp.up_proj.weight";
        Rewrite(directory, tensors =>
        {
            tensors[name] = zeros(64, 32, dtype: ScalarType.Int8);
            tensors[name + "_scale"] = zeros(7, 3);
        });
        AssertFails(directory, name + "_scale", "[7, 3]", "[64, 32]");
    }

    [Fact]
    public void MXFP4_experts_load_into_gate_then_up_and_down()
    {
        var directory = Copy("gpt-oss-tiny"); // 4 experts, hidden 32, ffn 24
        Change(directory, json => json["intermediate_size"] = 32);
        var random = new Random(7);
        byte[] gateUp = new byte[4 * 64 * 16], gateUpScales = new byte[4 * 64], down = new byte[4 * 32 * 16], downScales = new byte[4 * 32];
        random.NextBytes(gateUp);
        random.NextBytes(down);
        for (var i = 0; i < gateUpScales.Length; i++) gateUpScales[i] = (byte)(120 + i % 10);
        for (var i = 0; i < downScales.Length; i++) downScales[i] = (byte)(125 + i % 5);
        using (var scope = NewDisposeScope())
        {
            Rewrite(directory, tensors =>
            {
                for (var layer = 0; layer < 2; layer++)
                {
                    var experts = $"model.layers.{layer}.mlp.experts.";
                    tensors.Remove(experts + "gate_up_proj");
                    tensors.Remove(experts + "down_proj");
                    tensors[experts + "gate_up_proj_blocks"] = tensor(gateUp, [4, 64, 1, 16]);
                    tensors[experts + "gate_up_proj_scales"] = tensor(gateUpScales, [4, 64, 1]);
                    tensors[experts + "down_proj_blocks"] = tensor(down, [4, 32, 1, 16]);
                    tensors[experts + "down_proj_scales"] = tensor(downScales, [4, 32, 1]);
                    tensors[experts + "gate_up_proj_bias"] = zeros(4, 64);
                }
            });
        }

        using var model = HuggingFaceDirectory.Load(directory);
        using var all = NewDisposeScope();
        var weights = model.Decoder.Layers[1].Moe!.Experts;
        var (ours, ourDown) = (weights.GateUp.data<float>(), weights.Down.data<float>());
        for (var e = 0; e < 4; e++)
        {
            for (var row = 0; row < 64; row++)
            {
                for (var column = 0; column < 32; column++)
                {
                    // Row 2f of the stored matrix is feature f of the gate, row 2f + 1 that of the value.
                    Assert.Equal(Value(gateUp, gateUpScales, e * 64 + row, column), ours[e, row % 2 * 32 + row / 2, column]);
                    if (row < 32) Assert.Equal(Value(down, downScales, e * 32 + row, column), ourDown[e, row, column]);
                }
            }
        }

        static float Value(byte[] blocks, byte[] scales, int row, int column)
        {
            float[] values = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];
            var code = blocks[row * 16 + column / 2] >> (column % 2 * 4) & 0xF;
            return (code < 8 ? 1 : -1) * values[code & 7] * MathF.Pow(2, scales[row] - 127);
        }
    }

    [Fact]
    public void Saving_never_overwrites_what_is_not_a_model()
    {
        using var model = HuggingFaceDirectory.Load(Golden("llama-tiny"));
        var directory = _temporary.Path("home");
        Directory.CreateDirectory(directory);
        HuggingFaceDirectory.Save(model, directory); // empty: fine
        var existing = Assert.Throws<CheckpointException>(() => HuggingFaceDirectory.Save(model, directory));
        Assert.Contains("not empty", existing.Message);
        HuggingFaceDirectory.Save(model, directory, overwrite: true);
        File.Delete(Path.Combine(directory, "config.json"));
        var foreign = Assert.Throws<CheckpointException>(() => HuggingFaceDirectory.Save(model, directory, overwrite: true));
        Assert.Contains("no config.json", foreign.Message);
        Assert.Single(Directory.GetFileSystemEntries(_temporary.Root));
    }

    [Fact]
    public void What_a_familys_config_cannot_say_is_not_saved()
    {
        var config = ModelConfig.Dense(8, 1, 2, 2, 16, 11) with { FeedForward = FeedForwardKind.Relu };
        using var model = new CausalLanguageModel(config);
        var error = Assert.Throws<NotSupportedException>(() => HuggingFaceDirectory.Save(model, _temporary.Path("relu")));
        Assert.Contains("FeedForward", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_temporary.Root));
    }

    [Fact]
    public void Loading_and_saving_hold_the_number_of_live_tensors_constant()
    {
        Cycle();
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Cycle();
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);

        void Cycle()
        {
            using var model = HuggingFaceDirectory.Load(Golden("gpt-oss-tiny"));
            HuggingFaceDirectory.Save(model, _temporary.Path("cycle"), overwrite: true);
        }
    }

    internal static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "Golden", name);

    private static string Text(ModelConfig config) => JsonSerializer.Serialize(config);

    /// <summary>Every key that says something in the published file is in the written one with the same value.</summary>
    private static void AssertPublishedKeys(string published, string written)
    {
        // Free to differ: training-time or redundant settings, and token ids, which ModelConfig does not know.
        string[] free = ["bos_token_id", "eos_token_id", "pad_token_id", "pretraining_tp", "seq_aux", "initial_context_length", "max_window_layers", "sliding_window", "use_sliding_window"];
        JsonObject wanted = JsonNode.Parse(File.ReadAllText(published))!.AsObject(), got = JsonNode.Parse(File.ReadAllText(written))!.AsObject();
        foreach (var (key, value) in wanted)
        {
            if (free.Contains(key)) continue;
            if (key == "intermediate_size" && wanted["model_type"]!.GetValue<string>() == "qwen3_next") continue; // no layer is dense
            Assert.True(got.ContainsKey(key), $"{key} is not written");
            if (value is JsonValue number
                && number.GetValueKind() == JsonValueKind.Number) Assert.Equal(number.GetValue<double>(), got[key]!.GetValue<double>());
            else Assert.True(JsonNode.DeepEquals(value, got[key]), $"{key} is {got[key]?.ToJsonString()}, not {value?.ToJsonString()}");
        }
    }

    private static void AssertLogits(CausalLanguageModel model, string golden, double tolerance)
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(Golden(golden), "expected.json")));
        var rows = expected.RootElement.GetProperty("tokens").Deserialize<long[][]>()!;
        var logits = expected.RootElement.GetProperty("logits").Deserialize<float[]>()!;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var ours = model.forward(tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]));
        Assert.Equal(expected.RootElement.GetProperty("logits_shape").Deserialize<long[]>(), ours.shape);
        var error = ours.data<float>().Zip(logits, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(error <= tolerance, $"the largest error is {error}");
    }

    private static void AssertFails(string directory, params string[] words)
    {
        var error = Assert.Throws<CheckpointException>(() => HuggingFaceDirectory.Load(directory));
        foreach (var word in words) Assert.Contains(word, error.Message);
    }

    private string Copy(string golden)
    {
        var directory = _temporary.Path(golden);
        Directory.CreateDirectory(directory);
        foreach (var file in Directory.GetFiles(Golden(golden))) File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        return directory;
    }

    private static void Change(string directory, Action<JsonObject> change)
    {
        var path = Path.Combine(directory, "config.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    private static void Rewrite(string directory, Action<Dictionary<string, Tensor>> change, string? asFloat8 = null)
    {
        var path = Path.Combine(directory, "model.safetensors");
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors;
        using (var file = SafetensorsFile.Open(path)) tensors = file.Entries.Keys.ToDictionary(name => name, file.Read);
        change(tensors);
        SafetensorsWriter.Write(path, tensors);
        if (asFloat8 is null) return;
        // The writer has no 8-bit floats; their bytes are written as U8, and the header says otherwise afterwards.
        var text = File.ReadAllBytes(path);
        var header = System.Text.Encoding.Latin1.GetString(text, 8, (int)BitConverter.ToInt64(text));
        var renamed = header.Replace($"\"{asFloat8}\":{{\"dtype\":\"U8\"", $"\"{asFloat8}\":{{\"dtype\":\"F8_E4M3\"", StringComparison.Ordinal);
        File.WriteAllBytes(path,
            [.. BitConverter.GetBytes((long)renamed.Length), .. System.Text.Encoding.Latin1.GetBytes(renamed), .. text.AsSpan(8 + header.Length)]);
    }
}
