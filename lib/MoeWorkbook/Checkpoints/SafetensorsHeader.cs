using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace MoeWorkbook;

/// <summary>The header of a safetensors file: 8 bytes of length, then JSON that gives each tensor's type, shape and place. Everything in it is checked before
/// anything is believed.</summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read, as in the reference implementation.</summary>
    public const long MaxLength = 100_000_000;

    private const int LengthBytes = 8;
    private const int MaxDimensions = 64;
    private const string MetadataKey = "__metadata__";

    private readonly string _file;
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>The free texts that the writer of the file left.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Where the tensors' bytes begin in the file.</summary>
    public long DataStart { get; private set; }

    /// <summary>Reads and checks the header of a whole file.</summary>
    /// <param name="stream">The file from its beginning; its length is the file's.</param>
    /// <param name="file">What messages call it.</param>
    /// <exception cref="CheckpointException">The file is no valid safetensors file.</exception>
    public static SafetensorsHeader Read(Stream stream, string file)
    {
        var header = new SafetensorsHeader(file);
        var json = header.ReadJson(stream);
        try
        {
            using var document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false, MaxDepth = 8 });
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals(MetadataKey)) header.ReadMetadata(property.Value);
                else header._entries.Add(property.Name, header.ReadEntry(property.Name, property.Value));
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second kind is how System.Text.Json reports half of a surrogate pair in a text.
            throw header.Error(null, $"the header is not valid JSON with each name once: {PlainMessage.Of(e)}", e);
        }

        header.CheckCoverage(stream.Length - header.DataStart);
        return header;
    }

    private byte[] ReadJson(Stream stream)
    {
        var length = stream.Length;
        if (length < LengthBytes) throw Error(null, $"has {length} bytes; a safetensors file begins with 8 bytes that give the header's length.");
        Span<byte> prefix = stackalloc byte[LengthBytes];
        stream.ReadExactly(prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxLength) throw Error(null, $"has a header of {headerLength} bytes; at most {MaxLength} are allowed.");
        if ((long)headerLength > length - LengthBytes)
            throw Error(null, $"has a header of {headerLength} bytes but only {length - LengthBytes} bytes after its length; the file is truncated.");
        DataStart = LengthBytes + (long)headerLength;
        var json = new byte[headerLength];
        stream.ReadExactly(json);
        if (json.Length == 0 || json[0] != '{') throw Error(null, "the header must be a JSON object and begin with '{'.");
        if (!Utf8.IsValid(json)) throw Error(null, "the header is not valid UTF-8.");
        return json;
    }

    private void ReadMetadata(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Error(null, $"{MetadataKey} is a JSON {Kind(value)}; it must be an object of texts.");
        foreach (var property in value.EnumerateObject())
        {
            _metadata.Add(property.Name, property.Value.ValueKind == JsonValueKind.String
                ? property.Value.GetString()!
                : throw Error(null, $"the entry \"{property.Name}\" of {MetadataKey} is a JSON {Kind(property.Value)}; it must be a text."));
        }
    }

    private SafetensorsEntry ReadEntry(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Error(name, $"is described by a JSON {Kind(value)}; an object with dtype, shape and data_offsets is needed.");
        var type = ReadType(name, value);
        long[] shape = ReadNumbers(name, value, "shape"), offsets = ReadNumbers(name, value, "data_offsets");
        if (shape.Length > MaxDimensions) throw Error(name, $"has {shape.Length} dimensions; at most {MaxDimensions} are allowed.");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw Error(name, $"has data_offsets {SafetensorsEntry.Text(offsets.Take(4))}; they must be a begin and an end that is not before it.");
        var entry = new SafetensorsEntry(name, type, shape, offsets[0], offsets[1]);
        var size = SizeOf(entry);
        if (size != entry.Bytes) throw Error(name, $"has shape {entry.ShapeText} of {type.FileName()}, which is {size} bytes, but data_offsets [{entry.Begin}, {entry.End}] of {entry.Bytes} bytes.");
        return entry;
    }

    private SafetensorsType ReadType(string name, JsonElement value)
    {
        if (!value.TryGetProperty("dtype", out var dtype)) throw Error(name, "has no dtype.");
        var text = dtype.ValueKind == JsonValueKind.String ? dtype.GetString()! : $"a JSON {Kind(dtype)}";
        return SafetensorsTypes.Named(text) ?? throw Error(name, $"has dtype {(text.Length <= 40 ? text : text[..40] + "…")}; known are {SafetensorsTypes.AllNames}.");
    }

    private long[] ReadNumbers(string name, JsonElement value, string key)
    {
        if (!value.TryGetProperty(key, out var list)) throw Error(name, $"has no {key}.");
        if (list.ValueKind != JsonValueKind.Array) throw Error(name, $"has as {key} a JSON {Kind(list)}; it must be a list of whole numbers from 0.");
        var numbers = new long[list.GetArrayLength()];
        var i = 0;
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out numbers[i]) || numbers[i] < 0)
                throw Error(name, $"has in {key} an element that is no whole number from 0 to {long.MaxValue}.");
            i++;
        }

        return numbers;
    }

    private long SizeOf(SafetensorsEntry entry)
    {
        try
        {
            return entry.Shape.Aggregate((long)entry.Type.ElementBytes(), (size, dimension) => checked(size * dimension));
        }
        catch (OverflowException e)
        {
            throw Error(entry.Name, $"has shape {entry.ShapeText} of {entry.Type.FileName()}; so many bytes are more than 64 bits can count.", e);
        }
    }

    /// <summary>The format allows neither overlaps nor holes: in order of their offsets, the tensors follow each other from 0 to the end of the file.</summary>
    private void CheckCoverage(long dataBytes)
    {
        var covered = 0L;
        SafetensorsEntry? before = null;
        foreach (var entry in _entries.Values.OrderBy(e => e.Begin).ThenBy(e => e.End).ThenBy(e => e.Name, StringComparer.Ordinal))
        {
            if (entry.End > dataBytes)
                throw Error(entry.Name, $"has data_offsets [{entry.Begin}, {entry.End}] but the file has only {dataBytes} bytes after its header; it is truncated or the offsets are wrong.");
            if (entry.Begin < covered)
                throw Error(entry.Name, $"has data_offsets [{entry.Begin}, {entry.End}], which overlap those of \"{before!.Name}\", [{before.Begin}, {before.End}].");
            if (entry.Begin > covered)
                throw Error(entry.Name, $"begins at byte {entry.Begin} but the tensors before it end at {covered}; holes are not allowed.");
            covered = entry.End;
            before = entry;
        }

        if (covered != dataBytes) throw Error(null, $"has {dataBytes} bytes after its header but the tensors take {covered}; bytes without a tensor are not allowed.");
    }

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();

    private CheckpointException Error(string? tensor, string problem, Exception? inner = null) => new(_file, tensor, problem, inner);
}
