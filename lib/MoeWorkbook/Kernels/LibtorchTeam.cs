using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Threads that call libtorch side by side, each of which computes alone: no product waits for two threads to meet, and work of ours between two
/// products need not share its core with a libtorch thread that waits for the next.</summary>
/// <remarks>libtorch's number of threads belongs to the calling thread, and changing it to and fro costs milliseconds: so the caller only waits.</remarks>
internal sealed class LibtorchTeam
{
    private static readonly Lazy<LibtorchTeam> _shared = new(() => new(Environment.ProcessorCount));

    private readonly SemaphoreSlim _start = new(0), _done = new(0);
    private ChunkedWork? _work;
    private int _chunkCount, _nextChunk;
    private ExceptionDispatchInfo? _failure;

    private LibtorchTeam(int size)
    {
        Size = size;
        var threads = get_num_threads();
        for (var i = 0; i < size; i++) new Thread(Live) { IsBackground = true, Name = $"libtorch product {i + 1}" }.Start();
        for (var i = 0; i < size; i++) _done.Wait();
        // What a thread sets for itself is also what later threads begin with.
        set_num_threads(threads);
    }

    /// <summary>The process's team, one thread a core.</summary>
    public static LibtorchTeam Shared => _shared.Value;

    /// <summary>Number of threads.</summary>
    public int Size { get; }

    /// <summary>Does every chunk and returns when all are done. One caller at a time.</summary>
    /// <param name="work">What to do; its chunks may run in any order and at the same time.</param>
    /// <param name="chunkCount">Number of chunks.</param>
    /// <param name="threads">At most so many threads take part.</param>
    public void Run(ChunkedWork work, int chunkCount, int threads)
    {
        threads = Math.Min(Math.Min(threads, chunkCount), Size);
        (_work, _chunkCount, _nextChunk, _failure) = (work, chunkCount, 0, null);
        if (threads > 0) _start.Release(threads);
        for (var i = 0; i < threads; i++) _done.Wait();
        _work = null;
        _failure?.Throw();
    }

    private void Live()
    {
        // libtorch sets a thread's number when it is first asked for it, and would else do so later.
        _ = get_num_threads();
        set_num_threads(1);
        using var noGradient = no_grad();
        while (true)
        {
            _done.Release();
            _start.Wait();
            try
            {
                for (int chunk; (chunk = Interlocked.Increment(ref _nextChunk) - 1) < _chunkCount;)
                {
                    using var scope = NewDisposeScope();
                    _work!.Do(chunk);
                }
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
                _nextChunk = _chunkCount;
            }
        }
    }
}
