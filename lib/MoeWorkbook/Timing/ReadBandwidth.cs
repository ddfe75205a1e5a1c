using System.Runtime.InteropServices;

namespace MoeWorkbook;

/// <summary>Memory to stream through, and the fastest way of reading it on this machine. Keep it to sample the bandwidth again beside what is judged by it: on a shared machine it changes within minutes.</summary>
public sealed unsafe class ReadBandwidth : IDisposable
{
    private readonly long _bytes;
    private readonly StreamingRead _fastest;
    private byte* _memory;

    /// <summary>Fills memory and tries every way of reading it.</summary>
    /// <param name="bytes">How many bytes; many times what the caches hold.</param>
    /// <param name="rounds">How often each way has its turn.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are less than 4 MiB, or no round.</exception>
    public ReadBandwidth(long bytes = 1L << 30, int rounds = 7)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1 << 22);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        _bytes = bytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, LargePages.Bytes);
        LargePages.Advise(_memory, bytes);
        // Written by all cores, so that the pages lie near them.
        Parallel.For(0, (bytes + (1 << 22) - 1) >> 22, block => new Span<byte>(_memory + (block << 22), (int)Math.Min(1 << 22, bytes - (block << 22))).Fill(1));

        var measured = Measurement.Rounds(
            new() { Rounds = rounds, FewestRounds = rounds, WarmUpRounds = 1 },
            [.. StreamingRead.All.Select(way => (way.Name, (Func<double>)(() => Seconds(way))))]);
        var best = measured.Measurements.MinBy(way => way.Seconds.Value)!;
        _fastest = StreamingRead.All.Single(way => way.Name == best.Name);
        BytesPerSecond = _bytes / best.Seconds.Value;
    }

    /// <summary>The bandwidth of the fastest way: the median of its rounds.</summary>
    public double BytesPerSecond { get; }

    /// <summary>The fastest way of reading.</summary>
    public string Kernel => _fastest.Name;

    /// <summary>Streams through the memory once more, in the fastest way.</summary>
    /// <returns>Bytes a second.</returns>
    public double Sample()
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        return _bytes / Seconds(_fastest);
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees memory that was forgotten.</summary>
    ~ReadBandwidth() => NativeMemory.AlignedFree(_memory);

    private double Seconds(StreamingRead way)
    {
        long start = TimeProvider.System.GetTimestamp();
        GC.KeepAlive(way.Run(_memory, _bytes));
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }
}
