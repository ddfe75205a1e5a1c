using System.Text;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Checkpoints;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public void A_file_written_by_hand_is_read()
    {
        using var file = Open("""{"__metadata__":{"format":"pt"},"a":{"dtype":"I16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[],"data_offsets":[4,5]},"c":{"dtype":"F64","shape":[0,3],"data_offsets":[5,5]}}""", [1, 0, 0xFE, 0xFF, 9]);
        using var scope = NewDisposeScope();
        Assert.Equal(["a", "b", "c"], file.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal([1, -2], file.Read("a").data<short>().ToArray());
        Assert.Equal([2, 1], file.Read("a").shape);
        Assert.Equal(9, file.Read("b").item<byte>());
        Assert.Equal([0, 3], file.Read("c").shape);
    }

    [Fact]
    public void Every_type_that_torch_has_is_written_and_read_bit_by_bit()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { -2.5f, 0, 1, 3.25f, 100, -7 }, [2, 3]);
        ScalarType[] types = [ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
            ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool];
        var tensors = types.ToDictionary(type => $"of {type}", type => x.to(type));
        SafetensorsWriter.Write(_temporary.Path("all"), tensors);
        using var file = SafetensorsFile.Open(_temporary.Path("all"));
        foreach (var (name, written) in tensors)
        {
            var read = file.Read(name);
            Assert.Equal(written.dtype, read.dtype);
            Assert.Equal(written.bytes.ToArray(), read.bytes.ToArray());
        }
    }

    [Fact]
    public void Views_are_written_in_row_major_order_and_read_into_views()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(_temporary.Path("view"), new Dictionary<string, Tensor> { ["t"] = arange(6, dtype: ScalarType.Float32).view(2, 3).t() });
        using var file = SafetensorsFile.Open(_temporary.Path("view"));
        Assert.Equal([0, 3, 1, 4, 2, 5], file.Read("t").data<float>().ToArray());
        var target = zeros(3, 4, dtype: ScalarType.Float64);
        file.CopyTo("t", target.narrow(1, 1, 2));
        Assert.Equal([0, 0, 3, 0, 0, 1, 4, 0, 0, 2, 5, 0], target.data<double>().ToArray());
    }

    [Fact]
    public void A_numberstensor_is_converted_in_pieces()
    {
        using var scope = NewDisposeScope();
        var numbers = arange(600_001, dtype: ScalarType.Int32);
        SafetensorsWriter.Write(_temporary.Path("long"), new Dictionary<string, Tensor> { ["t"] = numbers });
        using var file = SafetensorsFile.Open(_temporary.Path("long"));
        var target = zeros(600_001, dtype: ScalarType.Float64);
        file.CopyTo("t", target);
        Assert.True(target.eq(numbers.to(ScalarType.Float64)).all().item<bool>());
    }

    [Fact]
    public void The_same_tensors_give_the_same_bytes_aligned_and_in_order()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["b"] = ones(3, dtype: ScalarType.Byte),
            ["é"] = ones(2),
            ["a"] = ones(1),
            ["z"] = ones(1, dtype: ScalarType.Float64)
        };
        SafetensorsWriter.Write(_temporary.Path("1"), tensors);
        SafetensorsWriter.Write(_temporary.Path("2"), tensors.Reverse());
        var bytes = File.ReadAllBytes(_temporary.Path("1"));
        Assert.Equal(bytes, File.ReadAllBytes(_temporary.Path("2")));
        Assert.Equal(0, (8 + BitConverter.ToInt64(bytes)) % 8);
        using var file = SafetensorsFile.Open(_temporary.Path("1"));
        Assert.Equal(["z", "a", "é", "b"], file.Entries.Values.OrderBy(e => e.Begin).Select(e => e.Name));
        Assert.All(file.Entries.Values, e => Assert.Equal(0, e.Begin % e.Type.ElementBytes()));
        Assert.Equal(2, Directory.GetFiles(_temporary.Root).Length);
    }

    [Fact]
    public void An_existing_file_stays_whole_when_writing_fails()
    {
        using var scope = NewDisposeScope();
        var path = _temporary.Path("kept");
        SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["a"] = ones(1) });
        var before = File.ReadAllBytes(path);
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(path, [new("a", ones(1)), new("a", ones(2))]));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(_temporary.Path("none/here"), new Dictionary<string, Tensor> { ["a"] = ones(1) }));
        Assert.Single(Directory.GetFileSystemEntries(_temporary.Root));
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "'a'")]
    [InlineData("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "F31|BF16")]
    [InlineData("""{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}""", 4, "dtype a JSON number")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "no dtype")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "no shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 4, "no data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "shape|whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "shape|whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", 4, "shape|whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "more than 64 bits")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775807,0],"data_offsets":[0,0]}}""", 0, "more than 64 bits")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "8 bytes|4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "only 4 bytes|truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "not before it")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "a begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "holes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "5 bytes|take 4")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__|text")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__|object")]
    [InlineData("""{"a":[]}""", 0, "JSON array")]
    [InlineData("""[]""", 0, "begin with '{'")]
    [InlineData(""" {}""", 0, "begin with '{'")]
    [InlineData("""{"a":""", 0, "JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0, "JSON")]
    [InlineData("""{"a":{"dtype":"\ud800","shape":[0],"data_offsets":[0,0]}}""", 0, "JSON")]
    [InlineData("""{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":1}}}}}}}}}""", 0, "JSON")]
    public void A_wrong_header_is_an_error_that_says_what_is_wrong(string header, int dataBytes, string words)
    {
        var error = Assert.Throws<CheckpointException>(() => Open(header, new byte[dataBytes]));
        Assert.All(words.Split('|'), word => Assert.Contains(word, error.Message));
        Assert.StartsWith(_temporary.Root, error.FilePath);
    }

    [Theory]
    [InlineData(new byte[0], "0 bytes")]
    [InlineData(new byte[] { 2, 0, 0, 0, 0, 0, 0 }, "7 bytes")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 }, "begin with '{'")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}' }, "truncated")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0x10, (byte)'{', (byte)'}' }, "1152921504606846976|100000000")] // 2^60
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, (byte)'{', (byte)'}' }, "18446744073709551615")]
    [InlineData(new byte[] { 3, 0, 0, 0, 0, 0, 0, 0, (byte)'{', 0xFF, (byte)'}' }, "UTF-8")]
    public void A_wrong_length_or_encoding_is_an_error(byte[] bytes, string words)
    {
        var path = _temporary.Path("bad");
        File.WriteAllBytes(path, bytes);
        var error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
        Assert.All(words.Split('|'), word => Assert.Contains(word, error.Message));
    }

    [Fact]
    public void A_file_that_is_not_there_or_a_tensor_that_is_not_in_it_is_an_error()
    {
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_temporary.Path("none")));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_temporary.Root));
        using var file = Open("{}", []);
        Assert.Contains("\"x\" is not in the file", Assert.Throws<CheckpointException>(() => file.Read("x")).Message);
    }

    [Fact]
    public void A_name_of_any_length_gives_a_short_message()
    {
        var header = """{"NAME":{"dtype":"F32","shape":[1],"data_offsets":[0,1]}}""".Replace("NAME", new string('n', 1_000_000), StringComparison.Ordinal);
        Assert.True(Assert.Throws<CheckpointException>(() => Open(header, [0])).Message.Length < 1000);
    }

    private SafetensorsFile Open(string header, byte[] data)
    {
        var path = _temporary.Path("written-by-hand");
        var json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. data]);
        return SafetensorsFile.Open(path);
    }
}
