using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.HuggingFace;

/// <summary>Whatever is in a file, reading it succeeds or throws the documented exception. A failure names the seed with which it happens again.</summary>
public sealed class FuzzTests : IDisposable
{
    private const int HeaderInputs = 10_500;
    private const int ConfigInputs = 10_500;
    private const int IndexInputs = 3_000;
    private const int FileInputs = 400;
    private const int DirectoryInputs = 150;

    private readonly TemporaryDirectory _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void No_safetensors_header_does_anything_else()
    {
        var files = Golden().Select(directory => File.ReadAllBytes(Path.Combine(directory, "model.safetensors"))).Append(SmallFile()).ToList();
        var accepted = Run(HeaderInputs, seed =>
        {
            // The small file has every type and metadata; the golden ones are real.
            var mutated = Mutated(files[seed % 20 == 0 ? seed / 20 % files.Count : ^1], seed);
            SafetensorsHeader.Read(new MemoryStream(mutated), "fuzz");
        });
        Assert.InRange(accepted, HeaderInputs / 200, HeaderInputs / 2); // neither all refused nor all harmless
    }

    [Fact]
    public void No_config_does_anything_else()
    {
        var configs = Golden().Select(directory => File.ReadAllText(Path.Combine(directory, "config.json")))
            .Append("""{"model_type":"switch_transformers","num_layers":4,"num_heads":2,"d_model":8,"vocab_size":9,"d_kv":4,"d_ff":8,"num_experts":2,"num_sparse_encoder_layers":2,"num_sparse_decoder_layers":2,"feed_forward_proj":"gated-gelu"}""")
            .Append("""{"model_type":"dbrx","d_model":16,"n_heads":4,"n_layers":2,"vocab_size":9,"max_seq_len":64,"attn_config":{"kv_n_heads":2,"clip_qkv":8,"rope_theta":500000},"ffn_config":{"ffn_hidden_size":8,"moe_num_experts":4,"moe_top_k":2,"moe_loss_weight":0.05}}""")
            .Append("""{"model_type":"llama4","text_config":{"model_type":"llama4_text","hidden_size":16,"intermediate_size":8,"intermediate_size_mlp":16,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":9,"num_local_experts":4,"num_experts_per_tok":1,"interleave_moe_layer_step":2,"moe_layers":[1,3],"rope_scaling":{"rope_type":"llama3","factor":8,"original_max_position_embeddings":64,"low_freq_factor":1,"high_freq_factor":4}}}""")
            .ToList();
        var accepted = Run(ConfigInputs, seed =>
        {
            var mutator = new JsonMutator(seed);
            var config = configs[seed % configs.Count];
            HuggingFaceConfig.Parse(mutator.Next(4) > 0 ? mutator.Json(config) : Encoding.UTF8.GetString(mutator.Bytes(Encoding.UTF8.GetBytes(config))));
        });
        Assert.InRange(accepted, ConfigInputs / 200, ConfigInputs * 9 / 10);
    }

    [Fact]
    public void No_index_of_shards_does_anything_else()
    {
        const string index = """{"metadata":{"total_size":24},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}}""";
        Run(IndexInputs, seed =>
        {
            var mutator = new JsonMutator(seed);
            ShardedCheckpoint.ParseIndex(mutator.Next(4) > 0 ? mutator.Json(index) : Encoding.UTF8.GetString(mutator.Bytes(Encoding.UTF8.GetBytes(index))), "fuzz");
        });
    }

    [Fact]
    public void No_file_on_disk_does_anything_else_when_all_of_it_is_read()
    {
        var small = SmallFile();
        Run(FileInputs, seed =>
        {
            var path = _temporary.Path("fuzz.safetensors");
            File.WriteAllBytes(path, Mutated(small, seed));
            using var scope = NewDisposeScope();
            using var file = SafetensorsFile.Open(path);
            foreach (var name in file.Entries.Keys) file.Read(name);
        });
    }

    [Fact]
    public void No_directory_does_anything_else_when_the_model_is_loaded()
    {
        var golden = Golden().ToList();
        Run(DirectoryInputs, seed =>
        {
            var source = golden[seed % golden.Count];
            var mutator = new JsonMutator(seed);
            string config = File.ReadAllText(Path.Combine(source, "config.json")), directory = _temporary.Path($"{seed}");
            Directory.CreateDirectory(directory);
            File.WriteAllText(Path.Combine(directory, "config.json"), seed % 2 == 0 ? mutator.Json(config) : config);
            var tensors = File.ReadAllBytes(Path.Combine(source, "model.safetensors"));
            File.WriteAllBytes(Path.Combine(directory, "model.safetensors"), seed % 2 == 0 ? tensors : Mutated(tensors, seed));
            HuggingFaceDirectory.Load(directory).Dispose();
        });
    }

    /// <summary>Runs all seeds; how many were accepted.</summary>
    private static int Run(int count, Action<int> read)
    {
        var accepted = 0;
        for (var seed = 0; seed < count; seed++)
        {
            try
            {
                read(seed);
                accepted++;
            }
            catch (Exception e) when (e is CheckpointException or ModelConfigException)
            {
                Assert.True(e.Message.Length < 5000, $"seed {seed}: a message of {e.Message.Length} letters");
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {e}");
            }
        }

        return accepted;
    }

    private static byte[] Mutated(byte[] file, int seed)
    {
        var mutator = new JsonMutator(seed);
        if (mutator.Next(3) == 0) return mutator.Bytes(file);
        var length = (int)BitConverter.ToInt64(file);
        return mutator.Safetensors(mutator.Json(Encoding.UTF8.GetString(file, 8, length)), file.AsSpan(8 + length));
    }

    private static byte[] SmallFile()
    {
        var offset = 0L;
        var entries = new Dictionary<string, object> { ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt", ["made"] = "by hand" } };
        foreach (var type in Enum.GetValues<SafetensorsType>())
        {
            long[] shape = [2, (int)type % 3, 1];
            var bytes = shape[1] * 2 * type.ElementBytes();
            entries[$"layer.{type}"] = new { dtype = type.FileName(), shape, data_offsets = new[] { offset, offset + bytes } };
            offset += bytes;
        }

        var header = JsonSerializer.SerializeToUtf8Bytes(entries);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[offset]];
    }

    private static IEnumerable<string> Golden() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden"), "config.json", SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!).Order(StringComparer.Ordinal);
}
