using System.Text;
using System.Text.Json;
using CsCheck;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.HuggingFace;

/// <summary>Whatever is in a file, reading it succeeds or throws the documented exception.</summary>
public sealed class FuzzTests : IDisposable
{
    private const int Headers = 10_500, Configs = 10_500, Indices = 3_000, Files = 400, Directories = 150;

    private readonly TemporaryDirectory _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void No_safetensors_header_does_anything_else()
    {
        // The small file has every type and metadata; the golden ones are real.
        var files = Gen.Frequency([(95, Mutation.OfSafetensors(SmallFile())),
            .. Golden().Select(directory => (1, (IGen<byte[]>)Mutation.OfSafetensors(Tensors(directory))))]);
        var accepted = Accepted(files, Headers, file => SafetensorsHeader.Read(new MemoryStream(file), "fuzz"), Encoding.Latin1.GetString);
        Assert.InRange(accepted, Headers / 200, Headers / 2); // neither all refused nor all harmless
    }

    [Fact]
    public void No_config_does_anything_else()
    {
        string[] configs =
        [
            .. Golden().Select(directory => File.ReadAllText(Path.Combine(directory, "config.json"))),
            """{"model_type":"switch_transformers","num_layers":4,"num_heads":2,"d_model":8,"vocab_size":9,"d_kv":4,"d_ff":8,"num_experts":2,"num_sparse_encoder_layers":2,"num_sparse_decoder_layers":2,"feed_forward_proj":"gated-gelu"}""",
            """{"model_type":"dbrx","d_model":16,"n_heads":4,"n_layers":2,"vocab_size":9,"max_seq_len":64,"attn_config":{"kv_n_heads":2,"clip_qkv":8,"rope_theta":500000},"ffn_config":{"ffn_hidden_size":8,"moe_num_experts":4,"moe_top_k":2,"moe_loss_weight":0.05}}""",
            """{"model_type":"llama4","text_config":{"model_type":"llama4_text","hidden_size":16,"intermediate_size":8,"intermediate_size_mlp":16,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":9,"num_local_experts":4,"num_experts_per_tok":1,"interleave_moe_layer_step":2,"moe_layers":[1,3],"rope_scaling":{"rope_type":"llama3","factor":8,"original_max_position_embeddings":64,"low_freq_factor":1,"high_freq_factor":4}}}""",
        ];
        var accepted = Accepted(Gen.OneOf([.. configs.Select(Mutation.OfText)]), Configs, config => HuggingFaceConfig.Parse(config));
        Assert.InRange(accepted, Configs / 200, Configs * 9 / 10);
    }

    [Fact]
    public void No_index_of_shards_does_anything_else() => Accepted(
        Mutation.OfText("""{"metadata":{"total_size":24},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}}"""),
        Indices, index => ShardedCheckpoint.ParseIndex(index, "fuzz"));

    [Fact]
    public void No_file_on_disk_does_anything_else_when_all_of_it_is_read() => Accepted(Mutation.OfSafetensors(SmallFile()), Files, bytes =>
    {
        var path = _temporary.Path("fuzz.safetensors");
        File.WriteAllBytes(path, bytes);
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        foreach (var name in file.Entries.Keys) file.Read(name);
    }, Encoding.Latin1.GetString);

    [Fact]
    public void No_directory_does_anything_else_when_the_model_is_loaded()
    {
        var loaded = 0;
        var directories = Gen.OneOf([.. Golden().Select(source =>
        {
            var config = File.ReadAllText(Path.Combine(source, "config.json"));
            var tensors = Tensors(source);
            return Gen.OneOf(Mutation.OfJson(config).Select(changed => (Config: changed, Tensors: tensors)),
                Mutation.OfSafetensors(tensors).Select(changed => (Config: config, Tensors: changed)));
        })]);
        Accepted(directories, Directories, written =>
        {
            var directory = Directory.CreateDirectory(_temporary.Path($"{loaded++}")).FullName;
            File.WriteAllText(Path.Combine(directory, "config.json"), written.Config);
            File.WriteAllBytes(Path.Combine(directory, "model.safetensors"), written.Tensors);
            HuggingFaceDirectory.Load(directory).Dispose();
        }, written => $"{written.Config}\n{Encoding.Latin1.GetString(written.Tensors)}");
    }

    /// <summary>How many of the samples can be read; all others must be refused as it is documented.</summary>
    private static int Accepted<T>(Gen<T> written, int samples, Action<T> read, Func<T, string>? print = null)
    {
        var accepted = 0;
        written.Holds(samples, sample =>
        {
            try
            {
                read(sample);
                accepted++;
            }
            catch (Exception e) when (e is CheckpointException or ModelConfigException)
            {
                Assert.True(e.Message.Length < 5000, $"a message of {e.Message.Length} letters");
            }
        }, print);
        return accepted;
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

    private static byte[] Tensors(string directory) => File.ReadAllBytes(Path.Combine(directory, "model.safetensors"));

    private static IEnumerable<string> Golden() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden"), "config.json", SearchOption.AllDirectories)
            .Select(file => Path.GetDirectoryName(file)!).Order(StringComparer.Ordinal);
}
