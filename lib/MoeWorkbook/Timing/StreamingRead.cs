using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MoeWorkbook;

/// <summary>Reads memory as fast as it goes, in several ways: which is fastest differs from processor to processor, and a limit must not depend on our luck
/// with one.</summary>
internal sealed unsafe class StreamingRead
{
    private const int Line = 64;
    private const int Block = 8 * Line; // what one turn of every loop reads
    private delegate ulong Kernel(byte* start, long bytes);

    private readonly Kernel _kernel;
    private readonly long _chunk;

    private StreamingRead(string name, Kernel kernel, long chunk) => (Name, _kernel, _chunk) = (name, kernel, chunk);

    public string Name { get; }

    /// <summary>Every way, each with short and with long stretches of memory for a core.</summary>
    public static IReadOnlyList<StreamingRead> All { get; } =
        [.. new (string Name, Kernel Kernel, bool Supported)[]
            {
                ("256 bits", Sum256, Vector256.IsHardwareAccelerated),
                ("512 bits", Sum512, Vector512.IsHardwareAccelerated),
                ("512 bits, 4 streams", Sum512Streams, Vector512.IsHardwareAccelerated),
                ("512 bits, prefetch", Sum512Prefetch, Vector512.IsHardwareAccelerated && Sse.IsSupported),
                ("a word of each line", Touch, true),
                ("a word of each line, prefetch", TouchPrefetch, Sse.IsSupported),
            }
            .Where(way => way.Supported)
            .SelectMany(way => new[] { 1L << 18, 1L << 22 }.Select(chunk => new StreamingRead($"{way.Name}, {chunk >> 10} KiB", way.Kernel, chunk)))];

    /// <summary>Reads everything once. Each core takes the next stretch when it has finished one.</summary>
    /// <param name="start">The first byte.</param>
    /// <param name="bytes">How many; a multiple of the stretches.</param>
    /// <param name="cores">How many cores read.</param>
    /// <returns>A number that depends on every stretch, so that nothing can be left out.</returns>
    public ulong Run(byte* start, long bytes, int cores)
    {
        long next = 0;
        ulong sum = 0;
        Parallel.For(0, cores, new() { MaxDegreeOfParallelism = cores }, _ =>
        {
            ulong own = 0;
            for (long at; (at = Interlocked.Add(ref next, _chunk) - _chunk) < bytes;)
                own += _kernel(start + at, Math.Min(_chunk, bytes - at) / Block * Block);
            Interlocked.Add(ref sum, own);
        });
        return sum;
    }

    private static ulong Sum256(byte* start, long bytes)
    {
        Vector256<ulong> a = default, b = default, c = default, d = default;
        for (byte* p = start, end = start + bytes; p < end; p += 256)
        {
            a += Vector256.Load((ulong*)p) + Vector256.Load((ulong*)(p + 32));
            b += Vector256.Load((ulong*)(p + 64)) + Vector256.Load((ulong*)(p + 96));
            c += Vector256.Load((ulong*)(p + 128)) + Vector256.Load((ulong*)(p + 160));
            d += Vector256.Load((ulong*)(p + 192)) + Vector256.Load((ulong*)(p + 224));
        }

        return Vector256.Sum(a + b + c + d);
    }

    private static ulong Sum512(byte* start, long bytes)
    {
        Vector512<ulong> a = default, b = default, c = default, d = default;
        for (byte* p = start, end = start + bytes; p < end; p += 4 * Line)
        {
            a += Vector512.Load((ulong*)p);
            b += Vector512.Load((ulong*)(p + Line));
            c += Vector512.Load((ulong*)(p + 2 * Line));
            d += Vector512.Load((ulong*)(p + 3 * Line));
        }

        return Vector512.Sum(a + b + c + d);
    }

    private static ulong Sum512Streams(byte* start, long bytes)
    {
        Vector512<ulong> a = default, b = default, c = default, d = default;
        var quarter = bytes / 4;
        for (byte* p = start, end = start + quarter; p < end; p += 2 * Line)
        {
            a += Vector512.Load((ulong*)p) + Vector512.Load((ulong*)(p + Line));
            b += Vector512.Load((ulong*)(p + quarter)) + Vector512.Load((ulong*)(p + quarter + Line));
            c += Vector512.Load((ulong*)(p + 2 * quarter)) + Vector512.Load((ulong*)(p + 2 * quarter + Line));
            d += Vector512.Load((ulong*)(p + 3 * quarter)) + Vector512.Load((ulong*)(p + 3 * quarter + Line));
        }

        return Vector512.Sum(a + b + c + d);
    }

    private static ulong Sum512Prefetch(byte* start, long bytes)
    {
        const int ahead = 32 * Line;
        Vector512<ulong> a = default, b = default, c = default, d = default;
        for (byte* p = start, end = start + bytes; p < end; p += 4 * Line)
        {
            Sse.PrefetchNonTemporal(p + ahead);
            Sse.PrefetchNonTemporal(p + ahead + Line);
            Sse.PrefetchNonTemporal(p + ahead + 2 * Line);
            Sse.PrefetchNonTemporal(p + ahead + 3 * Line);
            a += Vector512.Load((ulong*)p);
            b += Vector512.Load((ulong*)(p + Line));
            c += Vector512.Load((ulong*)(p + 2 * Line));
            d += Vector512.Load((ulong*)(p + 3 * Line));
        }

        return Vector512.Sum(a + b + c + d);
    }

    // Memory moves whole lines, so one word of each brings all of it in.
    private static ulong Touch(byte* start, long bytes)
    {
        ulong a = 0, b = 0, c = 0, d = 0;
        for (byte* p = start, end = start + bytes; p < end; p += 4 * Line)
        {
            a += *(ulong*)p;
            b += *(ulong*)(p + Line);
            c += *(ulong*)(p + 2 * Line);
            d += *(ulong*)(p + 3 * Line);
        }

        return a + b + c + d;
    }

    private static ulong TouchPrefetch(byte* start, long bytes)
    {
        const int ahead = 64 * Line;
        ulong a = 0, b = 0, c = 0, d = 0;
        for (byte* p = start, end = start + bytes; p < end; p += 4 * Line)
        {
            Sse.Prefetch0(p + ahead);
            Sse.Prefetch0(p + ahead + Line);
            Sse.Prefetch0(p + ahead + 2 * Line);
            Sse.Prefetch0(p + ahead + 3 * Line);
            a += *(ulong*)p;
            b += *(ulong*)(p + Line);
            c += *(ulong*)(p + 2 * Line);
            d += *(ulong*)(p + 3 * Line);
        }

        return a + b + c + d;
    }
}
