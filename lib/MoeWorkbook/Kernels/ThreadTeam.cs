namespace MoeWorkbook;

/// <summary>Threads that wait for work and do it together with their caller. Starting a piece of work costs about a microsecond while they are awake and
/// allocates nothing: a decode step has two such pieces in every layer.</summary>
/// <remarks>
/// Work is cut into more chunks than there are threads and each takes the next one when it is done, because on a shared
/// machine no two threads run equally fast. A worker without work spins for a moment, for the next piece usually follows
/// at once, and then sleeps.
/// </remarks>
internal sealed class ThreadTeam
{
    private const int SpinsBeforeSleep = 2000;

    private readonly Worker[] _workers;
    private ChunkedWork? _work;
    private int _chunkCount;
    private int _nextChunk;
    private int _busyWorkers;

    /// <summary>A team of <paramref name="size"/> threads, the caller's among them.</summary>
    public ThreadTeam(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        _workers = new Worker[size - 1];
        for (var i = 0; i < _workers.Length; i++) _workers[i] = new(this, i);
    }

    /// <summary>The process's team, one thread a core: more could only take turns.</summary>
    public static ThreadTeam Shared { get; } = new(Environment.ProcessorCount);

    /// <summary>Number of threads, the caller's included.</summary>
    public int Size => _workers.Length + 1;

    /// <summary>Does every chunk and returns when all are done. One caller at a time.</summary>
    /// <param name="work">What to do; its chunks may run in any order and at the same time.</param>
    /// <param name="chunkCount">Number of chunks.</param>
    /// <param name="threads">At most so many threads take part, the caller's included.</param>
    public void Run(ChunkedWork work, int chunkCount, int threads)
    {
        var helpers = Math.Min(Math.Min(threads, chunkCount), Size) - 1;
        (_work, _chunkCount, _nextChunk) = (work, chunkCount, 0);
        Volatile.Write(ref _busyWorkers, Math.Max(helpers, 0));
        for (var i = 0; i < helpers; i++) _workers[i].Wake();
        TakeChunks();
        var spin = new SpinWait();
        while (Volatile.Read(ref _busyWorkers) > 0) spin.SpinOnce(sleep1Threshold: -1);
        _work = null;
    }

    private void TakeChunks()
    {
        for (int chunk; (chunk = Interlocked.Increment(ref _nextChunk) - 1) < _chunkCount;) _work!.Do(chunk);
    }

    private sealed class Worker
    {
        private const int Idle = 0, Called = 1, Asleep = 2;

        private readonly ThreadTeam _team;
        private readonly SemaphoreSlim _alarm = new(0);
        private int _state;

        public Worker(ThreadTeam team, int index)
        {
            _team = team;
            new Thread(Live) { IsBackground = true, Name = $"expert kernel {index + 1}" }.Start();
        }

        public void Wake()
        {
            if (Interlocked.Exchange(ref _state, Called) == Asleep) _alarm.Release();
        }

        private void Live()
        {
            while (true)
            {
                WaitForCall();
                _team.TakeChunks();
                Interlocked.Decrement(ref _team._busyWorkers);
            }
        }

        private void WaitForCall()
        {
            for (var spins = 0; spins < SpinsBeforeSleep; spins++)
            {
                if (Interlocked.CompareExchange(ref _state, Idle, Called) == Called) return;
                Thread.SpinWait(20);
            }

            if (Interlocked.CompareExchange(ref _state, Asleep, Idle) == Idle) _alarm.Wait();
            Volatile.Write(ref _state, Idle);
        }
    }
}

/// <summary>Work in numbered chunks that may run at the same time.</summary>
internal abstract class ChunkedWork
{
    /// <summary>Does one chunk.</summary>
    public abstract void Do(int chunk);
}
