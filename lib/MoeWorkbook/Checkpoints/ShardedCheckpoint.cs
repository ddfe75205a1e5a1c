using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The tensors of a directory in one or more safetensors files: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c>
/// lists.</summary>
/// <remarks>Opening reads headers only; see <see cref="SafetensorsFile"/>. Where both are there the single file counts, as in transformers; a tensor that the
/// index does not list is no part of the checkpoint.</remarks>
internal sealed class ShardedCheckpoint : IDisposable
{
    internal const string SingleFile = "model.safetensors";
    internal const string IndexFile = "model.safetensors.index.json";

    private const long MaxIndexBytes = SafetensorsHeader.MaxLength;

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _fileOf = new(StringComparer.Ordinal);

    private ShardedCheckpoint(string directory) => DirectoryPath = directory;

    /// <summary>Opens the safetensors files of a directory.</summary>
    /// <param name="directory">A directory with <c>model.safetensors</c> or <c>model.safetensors.index.json</c>.</param>
    /// <exception cref="CheckpointException">Neither is there, a file is not valid, a shard is missing or lies outside of the directory, or a listed tensor is
    /// not in its shard.</exception>
    public static ShardedCheckpoint Open(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var checkpoint = new ShardedCheckpoint(directory);
        try
        {
            string single = Path.Combine(directory, SingleFile), index = Path.Combine(directory, IndexFile);
            if (File.Exists(single)) checkpoint.OpenAll(single);
            else if (File.Exists(index)) checkpoint.OpenShards(index);
            else throw new CheckpointException(directory, null, $"holds neither {SingleFile} nor {IndexFile}; one of them is needed.");
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>The directory.</summary>
    public string DirectoryPath { get; }

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _fileOf.Keys;

    /// <summary>The files.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>What its file says about a tensor; null where no file has it.</summary>
    /// <param name="name">The tensor's name.</param>
    public SafetensorsEntry? Find(string name) => _fileOf.TryGetValue(name, out var file) ? file.Entries[name] : null;

    /// <summary>Copies a tensor out of its file; see <see cref="SafetensorsFile.Read"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="CheckpointException">There is no tensor of that name, or its file cannot be read.</exception>
    public Tensor Read(string name) => FileOf(name).Read(name);

    /// <summary>Copies a tensor out of its file into another; see <see cref="SafetensorsFile.CopyTo"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="target">Where to copy to; a view will do.</param>
    /// <exception cref="CheckpointException">There is no tensor of that name, its number of elements differs, or its file cannot be read.</exception>
    public void CopyTo(string name, Tensor target) => FileOf(name).CopyTo(name, target);

    /// <summary>Closes the files. Tensors that were read stay.</summary>
    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    private SafetensorsFile FileOf(string name) =>
        _fileOf.TryGetValue(name, out var file) ? file : throw new CheckpointException(DirectoryPath, name, "is in no file of the directory.");

    private void OpenAll(string path)
    {
        var file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (var name in file.Entries.Keys) _fileOf.Add(name, file);
    }

    private void OpenShards(string index)
    {
        var shardOf = ReadIndex(index);
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach (var (tensor, shard) in shardOf)
        {
            if (!shards.TryGetValue(shard, out var file))
            {
                CheckInside(index, tensor, shard);
                _files.Add(file = SafetensorsFile.Open(Path.Combine(DirectoryPath, shard)));
                shards.Add(shard, file);
            }

            if (!file.Entries.ContainsKey(tensor)) throw new CheckpointException(index, tensor, $"is listed in {shard} but that file does not hold it.");
            _fileOf.Add(tensor, file);
        }
    }

    /// <summary>The shard of each tensor.</summary>
    internal static Dictionary<string, string> ReadIndex(string index)
    {
        string text;
        try
        {
            if (new FileInfo(index).Length > MaxIndexBytes) throw new CheckpointException(index, null, $"is larger than {MaxIndexBytes} bytes, the most that is allowed.");
            text = File.ReadAllText(index, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(index, null, $"the file cannot be read: {e.Message}", e);
        }

        return ParseIndex(text, index);
    }

    internal static Dictionary<string, string> ParseIndex(string text, string index)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new() { AllowDuplicateProperties = false, MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(index, null, "must be a JSON object with an object \"weight_map\" from tensor names to file names.");
            var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var property in map.EnumerateObject())
            {
                shardOf.Add(property.Name, property.Value.ValueKind == JsonValueKind.String
                    ? property.Value.GetString()!
                    : throw new CheckpointException(index, property.Name, "has in weight_map no text; the name of its file is needed."));
            }

            return shardOf;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(index, null, $"is not valid JSON with each name once: {PlainMessage.Of(e)}", e);
        }
    }

    /// <summary>An index names files of its own directory and nothing else, not even through a symbolic link. The one exception is the download cache's layout,
    /// where <c>snapshots/REVISION/FILE</c> links to <c>blobs</c>.</summary>
    private void CheckInside(string index, string tensor, string shard)
    {
        if (shard.Length == 0 || shard is "." or ".." || shard.AsSpan().IndexOfAny("/\\:\0") >= 0)
            throw new CheckpointException(index, tensor, $"is listed in \"{shard}\"; only the name of a file in the same directory is allowed.");
        var path = Path.Combine(DirectoryPath, shard);
        try
        {
            if (!File.Exists(path)) throw new CheckpointException(index, tensor, $"is listed in {shard} but there is no such file.");
            if (new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is not { } target) return;
            var home = Path.GetFullPath(new DirectoryInfo(DirectoryPath).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? DirectoryPath);
            var parent = Path.GetDirectoryName(Path.GetFullPath(target.FullName));
            var revisions = Path.GetDirectoryName(home);
            var inCache = Path.GetFileName(revisions) == "snapshots" && parent == Path.Combine(Path.GetDirectoryName(revisions)!, "blobs");
            if (parent != home && parent != Path.GetFullPath(DirectoryPath) && !inCache)
                throw new CheckpointException(index, tensor, $"is listed in {shard}, a link that leads outside of the directory, to {target.FullName}; that is not allowed.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CheckpointException(index, tensor, $"is listed in {shard}, which cannot be resolved: {e.Message}", e);
        }
    }
}
