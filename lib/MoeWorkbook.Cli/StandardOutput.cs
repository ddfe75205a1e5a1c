using System.Runtime.InteropServices;

namespace MoeWorkbook.Cli;

/// <summary>The standard output, which says when its reader has gone: .NET's own stream swallows that, and a long command would go on for nobody.</summary>
internal sealed partial class StandardOutput : Stream
{
    private const int Interrupted = 4, BrokenPipe = 32; // EINTR and EPIPE, the same on Linux and macOS

    private StandardOutput()
    {
    }

    /// <summary>The stream of bytes; <see cref="Console.Out"/> writes to it after <see cref="Install"/>.</summary>
    public static Stream Bytes { get; } = OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutput();

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Makes <see cref="Console.Out"/> write here, in UTF-8.</summary>
    public static void Install() => Console.SetOut(TextWriter.Synchronized(new StreamWriter(Bytes, bufferSize: 1 << 14) { AutoFlush = true }));

    /// <exception cref="OutputClosedException">Nobody reads the pipe any more.</exception>
    /// <exception cref="IOException">It cannot be written: a full disk, say, or no standard output at all.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written;
            fixed (byte* start = buffer)
                written = WriteTo(1, start, buffer.Length);
            if (written >= 0)
                buffer = buffer[(int)written..];
            else if (Marshal.GetLastPInvokeError() is var error && error == BrokenPipe)
                throw new OutputClosedException();
            else if (error != Interrupted)
                throw new IOException($"standard output cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint WriteTo(int file, byte* start, nint count);
}
