using System.IO.MemoryMappedFiles;
using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A safetensors file, mapped into memory: opening it reads the header only, and a tensor's bytes are read from the mapping when they are asked for,
/// so that a checkpoint may be larger than memory.</summary>
/// <remarks>The file must not be shortened while it is open. The format: 8 bytes of header length, a JSON header, then the tensors' bytes without holes,
/// little-endian and in row-major order.</remarks>
internal sealed class SafetensorsFile : IDisposable
{
    private const int CopyBuffer = 1 << 20;

    /// <summary>Elements that are converted at once: few enough to stay in the processor's cache, and for libtorch not to wake other threads.</summary>
    private const long ConvertedAtOnce = 1 << 15;

    /// <summary>The same on the way to another device, where every copy costs microseconds whatever its size.</summary>
    private const long MovedAtOnce = 1 << 24;

    private readonly MemoryMappedFile _mapping;
    private readonly SafetensorsHeader _header;

    private SafetensorsFile(string path, MemoryMappedFile mapping, SafetensorsHeader header) => (FilePath, _mapping, _header) = (path, mapping, header);

    /// <summary>Opens a file and checks its whole header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">The file cannot be read or is no valid safetensors file; the message says what is wrong.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            try
            {
                var header = SafetensorsHeader.Read(stream, path);
                return new(path,
                    MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false), header);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new CheckpointException(path, null, $"the file cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>The path that the file was opened by.</summary>
    public string FilePath { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _header.Entries;

    /// <summary>The free texts that the writer of the file left, such as <c>format</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Copies a tensor out of the file.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>A tensor on the CPU of the shape and type that the file states; the 8-bit floats come as their bytes (see
    /// <see cref="Dequantization"/>).</returns>
    /// <exception cref="CheckpointException">There is no tensor of that name, or the file cannot be read.</exception>
    public Tensor Read(string name)
    {
        var entry = Find(name);
        var tensor = empty(entry.Shape.ToArray(), dtype: entry.Type.TorchType(), device: CPU);
        CopyBytes(entry, tensor);
        return tensor;
    }

    /// <summary>Copies a tensor out of the file into another of the same shape, converting to its type and device; without a copy between where both are the
    /// file's.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="target">Where to copy to; a view will do.</param>
    /// <exception cref="CheckpointException">There is no tensor of that name, its number of elements differs, or the file cannot be read.</exception>
    public void CopyTo(string name, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var entry = Find(name);
        if (entry.Bytes / entry.Type.ElementBytes() != target.numel())
            throw new CheckpointException(FilePath, name, $"has shape {entry.ShapeText}; the target has {SafetensorsEntry.Text(target.shape)}.");
        if (target.dtype == entry.Type.TorchType() && target.device_type == DeviceType.CPU && target.is_contiguous())
        {
            CopyBytes(entry, target);
            return;
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (target.is_contiguous()) ConvertBytes(entry, target.view(-1));
        else target.copy_(Read(name).view(target.shape));
    }

    /// <summary>Closes the file. Tensors that were read stay.</summary>
    public void Dispose() => _mapping.Dispose();

    private SafetensorsEntry Find(string name) =>
        Entries.TryGetValue(name, out var entry) ? entry : throw new CheckpointException(FilePath, name, "is not in the file.");

    private void CopyBytes(SafetensorsEntry entry, Tensor target)
    {
        if (entry.Bytes == 0) return;
        using var bytes = View(entry);
        target.ReadBytesFromStream(bytes, CopyBuffer);
    }

    /// <summary>Copies a tensor piece by piece through a small one of the file's type.</summary>
    private void ConvertBytes(SafetensorsEntry entry, Tensor target)
    {
        if (entry.Bytes == 0) return;
        using var bytes = View(entry);
        var atOnce = Math.Min(target.is_cpu() ? ConvertedAtOnce : MovedAtOnce, target.numel());
        var buffer = empty([atOnce], dtype: entry.Type.TorchType(), device: CPU);
        for (var start = 0L; start < target.numel(); start += atOnce)
        {
            using var piece = NewDisposeScope();
            var part = buffer.narrow(0, 0, Math.Min(atOnce, target.numel() - start));
            part.ReadBytesFromStream(bytes, CopyBuffer);
            target.narrow(0, start, part.numel()).copy_(part);
        }
    }

    private MemoryMappedViewStream View(SafetensorsEntry entry) =>
        _mapping.CreateViewStream(_header.DataStart + entry.Begin, entry.Bytes, MemoryMappedFileAccess.Read);
}
