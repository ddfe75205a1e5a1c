using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Checkpoints;

public sealed class ShardedCheckpointTests : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();
    private readonly string _directory;

    public ShardedCheckpointTests()
    {
        _directory = _temporary.Path("model");
        Directory.CreateDirectory(_directory);
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(_directory, "one.safetensors"), new Dictionary<string, Tensor> { ["a"] = ones(1), ["b"] = ones(2) });
        SafetensorsWriter.Write(Path.Combine(_directory, "two.safetensors"), new Dictionary<string, Tensor> { ["c"] = ones(3) });
        SafetensorsWriter.Write(_temporary.Path("outside.safetensors"), new Dictionary<string, Tensor> { ["c"] = ones(3) });
    }

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void The_tensors_of_all_shards_are_one_checkpoint()
    {
        WriteIndex("""{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}""");
        using var scope = NewDisposeScope();
        using var checkpoint = ShardedCheckpoint.Open(_directory);
        Assert.Equal(["a", "b", "c"], checkpoint.Names.Order(StringComparer.Ordinal));
        Assert.Equal(2, checkpoint.Files.Count);
        Assert.Equal([3L], checkpoint.Read("c").shape);
        Assert.Null(checkpoint.Find("d"));
    }

    [Fact]
    public void A_tensor_that_the_index_does_not_list_is_no_part_of_the_checkpoint()
    {
        WriteIndex("""{"a":"one.safetensors"}""");
        using var checkpoint = ShardedCheckpoint.Open(_directory);
        Assert.Equal(["a"], checkpoint.Names);
        Assert.Throws<CheckpointException>(() => checkpoint.Read("b"));
    }

    [Theory]
    [InlineData("../outside.safetensors")]
    [InlineData("..\\\\outside.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("C:two.safetensors")]
    [InlineData("sub/../two.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("two\\u0000.safetensors")]
    public void An_index_that_points_outside_of_the_directory_is_an_error(string shard)
    {
        WriteIndex($$"""{"a":"one.safetensors","b":"one.safetensors","c":"{{shard}}"}""");
        Assert.Contains("only the name of a file in the same directory", AssertFails().Message);
    }

    [Fact]
    public void A_shard_that_is_a_link_to_the_outside_is_an_error()
    {
        File.CreateSymbolicLink(Path.Combine(_directory, "link.safetensors"), "../outside.safetensors");
        WriteIndex("""{"a":"one.safetensors","b":"one.safetensors","c":"link.safetensors"}""");
        Assert.Contains("leads outside", AssertFails().Message);
    }

    [Fact]
    public void The_links_of_a_download_cache_are_followed()
    {
        string snapshot = _temporary.Path("models--x/snapshots/0123"), blobs = _temporary.Path("models--x/blobs");
        Directory.CreateDirectory(snapshot);
        Directory.CreateDirectory(blobs);
        File.Move(_temporary.Path("outside.safetensors"), Path.Combine(blobs, "ab12"));
        File.CreateSymbolicLink(Path.Combine(snapshot, "c.safetensors"), "../../blobs/ab12");
        File.WriteAllText(Path.Combine(snapshot, "model.safetensors.index.json"), """{"weight_map":{"c":"c.safetensors"}}""");
        using var checkpoint = ShardedCheckpoint.Open(snapshot);
        Assert.Equal(["c"], checkpoint.Names);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"three.safetensors"}}""", "three.safetensors|no such file")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"one.safetensors"}}""", "\"c\"|does not hold it")]
    [InlineData("""{"weight_map":{"a":7}}""", "\"a\"|text")]
    [InlineData("""{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}""", "each name once")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("""{}""", "weight_map")]
    [InlineData("""[]""", "weight_map")]
    [InlineData("", "JSON")]
    public void A_wrong_index_is_an_error_that_says_what_is_wrong(string index, string words)
    {
        File.WriteAllText(Path.Combine(_directory, "model.safetensors.index.json"), index);
        var error = AssertFails();
        Assert.All(words.Split('|'), word => Assert.Contains(word, error.Message));
    }

    [Fact]
    public void A_directory_without_safetensors_files_says_what_is_needed()
    {
        Assert.Contains("model.safetensors.index.json", AssertFails().Message);
        Assert.Throws<CheckpointException>(() => ShardedCheckpoint.Open(_temporary.Path("none")));
    }

    private void WriteIndex(string map) => File.WriteAllText(Path.Combine(_directory, "model.safetensors.index.json"), $$"""{"metadata":{"total_size":24},"weight_map":{{map}}}""");

    private CheckpointException AssertFails() => Assert.Throws<CheckpointException>(() => ShardedCheckpoint.Open(_directory));
}
