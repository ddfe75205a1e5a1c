using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Models as directories in the form of Hugging Face: <c>config.json</c> and safetensors files under each family's published tensor names.</summary>
/// <remarks>What is saved here, transformers, vLLM and llama.cpp load.</remarks>
public static class HuggingFaceDirectory
{
    private const long DefaultShardBytes = 5_000_000_000;
    private const int NamesShown = 5;
    private const string TiedHead = "lm_head.weight";

    private static readonly string[] _quantizationMethods = ["fp8", "mxfp4", "compressed-tensors", "fbgemm_fp8"];

    /// <summary>Loads a model.</summary>
    /// <param name="directory">A directory with <c>config.json</c> and <c>model.safetensors</c> or its shards.</param>
    /// <param name="device">Where the weights lie; null for the CPU.</param>
    /// <param name="dtype">The type to which all weights are converted, quantised ones too; null for float32.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="ArgumentException">The type is not a floating-point type.</exception>
    /// <exception cref="ModelConfigException"><c>config.json</c> cannot be read, or its content is wrong.</exception>
    /// <exception cref="CheckpointException">A file is not valid, or the tensors are not those that the model needs: missing, unknown, or of another shape or
    /// type; the message names them.</exception>
    /// <remarks>Names, shapes and types are all checked before a weight is allocated.</remarks>
    public static CausalLanguageModel Load(string directory, Device? device = null, ScalarType? dtype = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (dtype is { } type && SafetensorsTypes.FromTorch(type)?.IsFloat() != true)
            throw new ArgumentException($"dtype is {type}; float64, float32, float16 and bfloat16 are allowed.", nameof(dtype));
        var file = HuggingFaceConfig.Keys(Path.Combine(directory, "config.json"));
        var config = HuggingFaceConfig.Read(file);
        if (ModelFamilies.Find(config.ModelType)?.Tensors is not { } names)
        {
            throw new CheckpointException(directory, null, $"there is no forward pass for {config.ModelType} here, so it can be counted but not loaded; "
                + $"loaded are {string.Join(", ", ModelFamilies.All.Where(family => family.Tensors is not null).Select(family => family.ModelType))}.");
        }

        using var checkpoint = ShardedCheckpoint.Open(directory);
        var keys = HuggingFaceConfig.ModelKeys(file);
        var tensors = new CheckpointTensors(checkpoint, BlockSize(keys));
        var slices = Match(config, names, tensors, directory, keys.Count("num_nextn_predict_layers", 0));

        var model = Build(config, new ParameterInit(device, dtype) { LeaveUninitialized = true }, directory);
        try
        {
            using var noGradient = no_grad();
            foreach (var (name, parameter) in model.named_parameters())
            {
                foreach (var slice in slices[name])
                {
                    using var scope = NewDisposeScope();
                    tensors.CopyTo(slice, slice.View(parameter.detach()));
                }
            }

            if (config.TiedEmbeddings && checkpoint.Find(TiedHead) is not null) CheckTied(checkpoint, model.Decoder.Embedding.Weight);
            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Saves a model so that it can be loaded here and by the engines that know its family. The directory appears whole or not at all.</summary>
    /// <param name="model">The model; its <see cref="ModelConfig.ModelType"/> names the family.</param>
    /// <param name="directory">The directory to make.</param>
    /// <param name="overwrite">Whether a directory that holds a <c>config.json</c> may be replaced, with everything in it.</param>
    /// <param name="shardBytes">Above how many bytes the tensors are divided among several files.</param>
    /// <param name="endOfText">The id of the token that stands between texts, for <c>config.json</c> and <c>generation_config.json</c>, by which engines end a
    /// text; null for none.</param>
    /// <exception cref="NotSupportedException">The family has no writer here, or its <c>config.json</c> cannot express the model's description.</exception>
    /// <exception cref="CheckpointException">The directory exists, or cannot be written.</exception>
    public static void Save(CausalLanguageModel model, string directory, bool overwrite = false, long shardBytes = DefaultShardBytes, int? endOfText = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shardBytes);
        var parameters = model.named_parameters().ToList();
        var config = HuggingFaceConfigWriter.ToJson(model.Config, parameters[0].parameter.dtype, endOfText);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        CheckTarget(target, overwrite);
        var temporary = $"{target}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(temporary);
            File.WriteAllText(Path.Combine(temporary, "config.json"), config);
            if (endOfText is not null)
                File.WriteAllText(Path.Combine(temporary, "generation_config.json"),
                    JsonSerializer.Serialize(new { bos_token_id = endOfText, eos_token_id = endOfText }, JsonText.Indented) + "\n");
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            var names = ModelFamilies.Find(model.Config.ModelType)!.Tensors!; // whose config.json is written has a forward pass
            WriteShards(temporary, [.. parameters.SelectMany(p => names.FormsOf(model.Config, p.name, p.parameter.shape).First()
                .Select(slice => new SafetensorsWriter.TensorToWrite(slice.Name, slice.View(p.parameter.detach()), slice.Shape)))], shardBytes);
            Replace(target, temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(directory, null, $"the directory cannot be written: {e.Message}", e);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>For each of our parameters, the published tensors that make it up; everything is checked against the headers.</summary>
    private static Dictionary<string, TensorSlice[]> Match(ModelConfig config, TensorNames names,
        CheckpointTensors tensors, string directory, int predictionLayers)
    {
        CheckPlausible(config, tensors, directory);
        using var scope = NewDisposeScope();
        using var described = Build(config, new ParameterInit(META), directory);
        var slices = new Dictionary<string, TensorSlice[]>(StringComparer.Ordinal);
        var missing = new List<string>();
        foreach (var (name, parameter) in described.named_parameters())
        {
            // A form with more slices than there are tensors lacks some; config.json may have asked for a billion experts.
            var forms = names.FormsOf(config, name, parameter.shape).Select(f => f.Take(tensors.Count + 1)).ToList();
            TensorSlice[] form = [.. forms.Find(f => f.Any(slice => tensors.Contains(slice.Name))) ?? forms[0]];
            missing.AddRange(form.Select(slice => slice.Name).Where(n => !tensors.Contains(n)));
            slices.Add(name, form);
        }

        if (missing.Count > 0) throw new CheckpointException(directory, null, $"{Counted(missing, "tensor is", "tensors are")} missing that the model of config.json needs: {Listed(missing)}.");
        foreach (var slice in slices.Values.SelectMany(form => form)) tensors.Check(slice);
        var unknown = tensors.Unused.Where(name => !names.IsHarmless(config, name, predictionLayers)).ToList();
        if (unknown.Count > 0) throw new CheckpointException(directory, null,
            $"{Counted(unknown, "tensor is", "tensors are")} not known in a {config.ModelType} model of this config.json: {Listed(unknown)}.");
        return slices;
    }

    /// <summary>Sizes that the files cannot hold are refused before a model is even described; the rest is a matter of shapes.</summary>
    private static void CheckPlausible(ModelConfig config, CheckpointTensors tensors, string directory)
    {
        if (config.LayerCount > tensors.Count) throw new CheckpointException(directory, null, $"config.json describes {config.LayerCount} layers but the files hold only {tensors.Count} tensors.");
        var headSize = Math.Max(config.Attention.HeadSize, config.LatentAttention?.RotaryHeadSize ?? 0);
        if (headSize > tensors.MaxElements) throw new CheckpointException(directory, null, $"config.json describes heads of size {headSize} but no tensor in the files has more than {tensors.MaxElements} elements.");
    }

    private static CausalLanguageModel Build(ModelConfig config, ParameterInit init, string directory)
    {
        try
        {
            return new(config, init);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or OverflowException or ExternalException)
        {
            throw new CheckpointException(directory, null, $"the model that config.json describes cannot be built: {PlainMessage.Of(e)}", e);
        }
    }

    /// <summary>Rows and columns of a quantised block, where <c>config.json</c> states them.</summary>
    private static (long Rows, long Columns)? BlockSize(ConfigKeys keys)
    {
        if (keys.Has("quantization")) throw keys.Error("quantization", "packs the weights as MLX does; that is not known here");
        if (keys.Object("quantization_config") is not { Entries: > 0 } quantization) return null;
        var method = quantization.Text("quant_method") ?? throw quantization.Missing(quantization.Name("quant_method"));
        if (!_quantizationMethods.Contains(method)) throw quantization.Error("quant_method", $"is \"{method}\"; known are {string.Join(", ", _quantizationMethods)}");
        if (method == "compressed-tensors") quantization.Choice("format", "dense", "dense", "naive-quantized", "float-quantized", "int-quantized");
        if (quantization.Integers("weight_block_size") is not { } size) return null;
        return size is [> 0, > 0] ? (size[0], size[1]) : throw quantization.Error("weight_block_size", "must be two whole numbers from 1: rows and columns");
    }

    /// <summary>A head beside tied embeddings must be a copy of them: which of two different ones is meant, the files do not say.</summary>
    private static void CheckTied(ShardedCheckpoint checkpoint, Tensor embedding)
    {
        using var scope = NewDisposeScope();
        var head = checkpoint.Read(TiedHead).to(embedding.dtype).to(embedding.device);
        if (!head.shape.SequenceEqual(embedding.shape) || !head.eq(embedding).all().cpu().item<bool>())
            throw new CheckpointException(checkpoint.DirectoryPath, TiedHead, "differs from the embedding, but \"tie_word_embeddings\" of config.json says that they are one; set it to false or remove the tensor.");
    }

    private static void WriteShards(string directory, List<SafetensorsWriter.TensorToWrite> tensors, long shardBytes)
    {
        var shards = new List<List<SafetensorsWriter.TensorToWrite>> { new() };
        var bytes = 0L;
        foreach (var tensor in tensors)
        {
            if (bytes > 0 && bytes + tensor.Bytes > shardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += tensor.Bytes;
        }

        if (shards.Count == 1)
        {
            SafetensorsWriter.WriteAll(Path.Combine(directory, ShardedCheckpoint.SingleFile), shards[0]);
            return;
        }

        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < shards.Count; i++)
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors");
            SafetensorsWriter.WriteAll(Path.Combine(directory, file), shards[i]);
            foreach (var tensor in shards[i]) files.Add(tensor.Name, file);
        }

        var index = new { metadata = new { total_size = tensors.Sum(t => t.Bytes) }, weight_map = files };
        File.WriteAllText(Path.Combine(directory, ShardedCheckpoint.IndexFile), JsonSerializer.Serialize(index, JsonText.Indented));
    }

    private static void CheckTarget(string target, bool overwrite)
    {
        if (File.Exists(target)) throw new CheckpointException(target, null, "is a file; a directory is written here.");
        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any()) return;
        if (!overwrite) throw new CheckpointException(target, null, "exists and is not empty; choose another directory or allow it to be overwritten.");
        if (!File.Exists(Path.Combine(target, "config.json"))) throw new CheckpointException(target, null, "is not empty and holds no config.json; only a model's directory is overwritten.");
    }

    private static void Replace(string target, string written)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(written, target);
            return;
        }

        var old = $"{target}.{Guid.NewGuid():N}.old";
        Directory.Move(target, old);
        try
        {
            Directory.Move(written, target);
        }
        catch
        {
            Directory.Move(old, target);
            throw;
        }

        Directory.Delete(old, recursive: true);
    }

    private static string Counted(List<string> names, string one, string many) => names.Count == 1 ? $"1 {one}" : $"{names.Count} {many}";

    private static string Listed(List<string> names) =>
        string.Join(", ", names.Take(NamesShown).Select(CheckpointException.Shortened)) + (names.Count > NamesShown ? ", …" : "");
}
