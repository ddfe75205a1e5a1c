using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Writes safetensors files.</summary>
/// <remarks>The same tensors give the same bytes: wide types first and then by name, so that every tensor is aligned to its element size without a hole. The
/// header is padded with spaces to a multiple of 8 bytes.</remarks>
internal static class SafetensorsWriter
{
    private const int Alignment = 8;
    private const int CopyBuffer = 1 << 20;

    private static readonly JsonWriterOptions _json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes tensors to a file, through a temporary file that is then renamed.</summary>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <param name="tensors">The tensors by name, on any device and with any strides.</param>
    /// <param name="metadata">Free texts; null for <c>format</c> = <c>pt</c>, which transformers asks for.</param>
    /// <exception cref="ArgumentException">Two tensors have one name, or a type has no name in the format.</exception>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        WriteAll(path, [.. tensors.Select(t => new TensorToWrite(t.Key, t.Value, t.Value.shape))], metadata);
    }

    /// <summary>A tensor to write: its elements in row-major order, under a shape of as many elements.</summary>
    internal sealed record TensorToWrite(string Name, Tensor Tensor, long[] Shape)
    {
        public SafetensorsType Type { get; } = SafetensorsTypes.FromTorch(Tensor.dtype)
            ?? throw new ArgumentException($"The tensor \"{Name}\" has type {Tensor.dtype}; a safetensors file holds {SafetensorsTypes.AllNames}.", nameof(Tensor));

        public long Bytes => Tensor.numel() * Type.ElementBytes();
    }

    internal static void WriteAll(string path, IReadOnlyCollection<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var ordered = tensors.OrderByDescending(t => t.Type.ElementBytes()).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        if (ordered.Select(t => t.Name).GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"Two tensors have the name \"{twice.Key}\"; each name is allowed once.", nameof(tensors));
        if (ordered.Exists(t => t.Name == "__metadata__")) throw new ArgumentException("No tensor can have the name __metadata__.", nameof(tensors));
        try
        {
            WholeFile.Write(path, file =>
            {
                file.Write(Header(ordered, metadata ?? new Dictionary<string, string> { ["format"] = "pt" }));
                foreach (var tensor in ordered) WriteBytes(file, tensor.Tensor);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(path, null, $"the file cannot be written: {e.Message}", e);
        }
    }

    private static byte[] Header(List<TensorToWrite> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Position = 8;
        using (var writer = new Utf8JsonWriter(buffer, _json))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0)
            {
                writer.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
                writer.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", tensor.Type.FileName());
                WriteNumbers(writer, "shape", tensor.Shape);
                WriteNumbers(writer, "data_offsets", [offset, offset += tensor.Bytes]);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        while (buffer.Position % Alignment != 0) buffer.WriteByte((byte)' ');
        var header = buffer.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        return header;
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string key, long[] numbers)
    {
        writer.WriteStartArray(key);
        foreach (var number in numbers) writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }

    private static void WriteBytes(Stream file, Tensor tensor)
    {
        if (tensor.numel() == 0) return;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        tensor.detach().cpu().contiguous().WriteBytesToStream(file, CopyBuffer);
    }
}
