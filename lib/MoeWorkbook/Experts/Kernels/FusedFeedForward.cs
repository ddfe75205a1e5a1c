using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>What one call of the fused experts works on: addresses and sizes, already checked.</summary>
internal unsafe struct FusedCall
{
    public WeightRows GateUp, Down;
    public int HiddenSize, FeedForwardSize, ExpertCount;

    /// <summary>Hidden states and output, <c>[tokens, hidden]</c>, in bfloat16 or float32.</summary>
    public byte* Hidden, Output;
    public bool BFloat16;
    public int TokenCount;

    /// <summary>The routing decision, each <c>[assignments]</c>.</summary>
    public long* Tokens, Experts;
    public float* Weights;
    public bool* Kept;
    public int AssignmentCount;

    public int Threads;
}

/// <summary>The SwiGLU experts of one batch, computed from the bytes of their weights, each read once.</summary>
/// <remarks>
/// Two pieces of parallel work, each over all chosen experts together, so that the cores meet twice a layer and not twice
/// an expert: first the inner activations SiLU(gate)·up of every assignment, then every row of the output, to which each
/// expert adds its share. (Before them each token's hidden state is laid out; for one token the caller does that alone.)
/// Where a decode step spends its time is in reading weights; all else is kept out of the way.
/// </remarks>
internal abstract unsafe class FusedFeedForward
{
    /// <summary>Computes the experts. One caller at a time.</summary>
    public abstract void Run(in FusedCall call, ThreadTeam team);

    /// <summary>inner ← gate · σ(gate) · up; inner may be gate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected static void SwiGlu(float* gate, float* up, float* inner, int count)
    {
        var i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var g = Vector256.Load(gate + i);
            (g / (Vector256<float>.One + Vector256.Exp(-g)) * Vector256.Load(up + i)).Store(inner + i);
        }

        for (; i < count; i++) inner[i] = gate[i] / (1 + MathF.Exp(-gate[i])) * up[i];
    }
}

/// <inheritdoc />
internal sealed unsafe class FusedFeedForward<TKernel> : FusedFeedForward where TKernel : IRowKernel
{
    // With more tokens than fit in one tile a piece of a row meets them all while it is in a near cache, and they stay in
    // the second while the next rows come. Not smaller: every tile begins and ends with some work of its own.
    private const int PieceBytes = 16 << 10, TokenBytes = 512 << 10;

    // Below so many bytes of weights a second thread costs more than it saves.
    private const long BytesWorthSharing = 256 << 10;

    private readonly ExpertQueues _queues = new();
    private readonly NativeBuffer _inputs = new(), _gates = new(), _ups = new(), _inners = new(), _sums = new();
    private readonly PrepareInputs _prepareInputs;
    private readonly ComputeInners _computeInners;
    private readonly ComputeOutputs _computeOutputs;

    private FusedCall _call;
    private float* _sum, _gate, _up;
    private byte* _input, _inner;
    private long _inputBytes, _innerBytes;

    public FusedFeedForward() => (_prepareInputs, _computeInners, _computeOutputs) = (new(this), new(this), new(this));

    /// <inheritdoc />
    public override void Run(in FusedCall call, ThreadTeam team)
    {
        _call = call;
        var assignments = _queues.Fill(call);
        _inputBytes = TKernel.ActivationBytes(call.HiddenSize);
        _innerBytes = TKernel.ActivationBytes(call.FeedForwardSize);
        _sum = _sums.Get<float>((long)call.TokenCount * call.HiddenSize);
        _input = _inputs.Get<byte>(call.TokenCount * _inputBytes);
        _gate = _gates.Get<float>((long)assignments * call.FeedForwardSize);
        _up = _ups.Get<float>((long)assignments * call.FeedForwardSize);
        _inner = _inners.Get<byte>(assignments * _innerBytes);

        var bytes = _queues.TouchedCount * (2 * call.FeedForwardSize * call.GateUp.RowBytes + call.HiddenSize * call.Down.RowBytes);
        var threads = bytes < BytesWorthSharing ? 1 : call.Threads;
        team.Run(_prepareInputs, call.TokenCount, threads);
        team.Run(_computeInners, _queues.TouchedCount * _computeInners.BlocksPerExpert, threads);
        team.Run(_computeOutputs, _computeOutputs.Blocks, threads);
    }

    // Two tokens share a tile of two, three or more a tile of four, where the missing one repeats another.
    private static int TileTokens(int left) => Math.Min(left == 1 ? 1 : left == 2 ? 2 : 4, TKernel.MaxTokens);

    private static int Columns(int columns, int tokens, in WeightRows rows, long tokenBytes)
    {
        if (tokens <= TKernel.MaxTokens) return columns;
        var pieces = Math.Max((rows.RowBytes + PieceBytes - 1) / PieceBytes, (tokens * tokenBytes + TokenBytes - 1) / TokenBytes);
        var granules = (columns + TKernel.Granule - 1) / TKernel.Granule;
        return (int)((granules + pieces - 1) / pieces) * TKernel.Granule;
    }

    // What one tile meets is read on and on. What several meet is fetched a round before, and each tile asks for a part of it, so that memory works while they compute.
    private static void SetAhead(ref Tile tile, int tokens, int token, in WeightRows rows)
    {
        var tiles = (tokens + TKernel.MaxTokens - 1) / TKernel.MaxTokens;
        var (turn, turns, ahead) = (token / TKernel.MaxTokens, Math.Min(tiles, 4), tiles == 1 ? Prefetch.Distance : rows.RowBytes);
        tile.Ahead0 = turn == 0 ? ahead : 0;
        tile.Ahead1 = turn == turns / 4 ? ahead : 0;
        tile.Ahead2 = turn == turns / 2 ? ahead : 0;
        tile.Ahead3 = turn == turns * 3 / 4 ? ahead : 0;
    }

    /// <summary>Each token's hidden state as the kernel reads it.</summary>
    private sealed class PrepareInputs(FusedFeedForward<TKernel> layer) : ChunkedWork
    {
        public override void Do(int token)
        {
            ref readonly var call = ref layer._call;
            var size = call.HiddenSize;
            var values = layer._sum + (long)token * size;
            if (call.BFloat16) BFloat16Bits.Widen((ushort*)call.Hidden + (long)token * size, values, size);
            else values = (float*)call.Hidden + (long)token * size;
            TKernel.Prepare(values, 0, size, size, layer._input + token * layer._inputBytes);
        }
    }

    /// <summary>A block of rows of one expert's gate and up, for all tokens that chose it.</summary>
    private sealed class ComputeInners(FusedFeedForward<TKernel> layer) : ChunkedWork
    {
        // A whole number of the next product's pieces, so that the block can be laid out for it right here. Not smaller:
        // at the start of a block four streams begin, and their first lines are waited for.
        private static int BlockRows => Math.Max(128, TKernel.Granule);

        public int BlocksPerExpert => (layer._call.FeedForwardSize + BlockRows - 1) / BlockRows;

        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var (expert, first, count) = layer._queues.Touched[chunk / BlocksPerExpert];
            var start = chunk % BlocksPerExpert * BlockRows;
            var end = Math.Min(start + BlockRows, call.FeedForwardSize);
            Multiply(call, (long)expert * 2 * call.FeedForwardSize, first, count, start, end);
            for (var a = first; a < first + count; a++)
            {
                var gate = layer._gate + a * (long)call.FeedForwardSize;
                SwiGlu(gate + start, layer._up + a * (long)call.FeedForwardSize + start, gate + start, end - start);
                TKernel.Prepare(gate, start, end, call.FeedForwardSize, layer._inner + a * layer._innerBytes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Multiply(in FusedCall call, long gateRow, int first, int count, int start, int end)
        {
            var upRow = gateRow + call.FeedForwardSize;
            for (var a = first; a < first + count; a++)
            {
                new Span<float>(layer._gate + a * (long)call.FeedForwardSize + start, end - start).Clear();
                new Span<float>(layer._up + a * (long)call.FeedForwardSize + start, end - start).Clear();
            }

            var sums = stackalloc float[16];
            var tile = new Tile();
            var columns = Columns(call.HiddenSize, count, call.GateUp, layer._inputBytes);
            for (var column = 0; column < call.HiddenSize; column += columns)
            {
                var columnEnd = Math.Min(column + columns, call.HiddenSize);
                // Two rows of gate and two of up, each the next of its half of the block: four streams without a jump.
                var middle = (start + end + 1) / 2;
                for (var row = start; row < middle; row++)
                {
                    var next = Math.Min(row - start + middle, end - 1);
                    tile.SetRows(call.GateUp, gateRow + row, gateRow + next, upRow + row, upRow + next);
                    for (var t = 0; t < count;)
                    {
                        var tokens = TileTokens(count - t);
                        var a = first + t;
                        tile.SetTokens(Input(a), Input(Math.Min(a + 1, first + count - 1)), Input(Math.Min(a + 2, first + count - 1)), Input(Math.Min(a + 3, first + count - 1)));
                        SetAhead(ref tile, count, t, call.GateUp);
                        TKernel.Multiply(tile, tokens, column, columnEnd, call.HiddenSize, sums);
                        for (var j = 0; j < tokens && t < count; j++, t++)
                        {
                            float* gate = layer._gate + (first + t) * (long)call.FeedForwardSize, up = layer._up + (first + t) * (long)call.FeedForwardSize;
                            gate[row] += sums[j];
                            up[row] += sums[8 + j];
                            if (row - start + middle >= end) continue;
                            gate[next] += sums[4 + j];
                            up[next] += sums[12 + j];
                        }
                    }
                }
            }
        }

        private byte* Input(int assignment) => layer._input + layer._queues.Tokens[assignment] * layer._inputBytes;
    }

    /// <summary>A block of rows of the output, for all tokens: every expert in turn adds weight · (row of down · inner).</summary>
    private sealed class ComputeOutputs(FusedFeedForward<TKernel> layer) : ChunkedWork
    {
        private const int BlockRows = 64;

        public int Blocks => (layer._call.HiddenSize + BlockRows - 1) / BlockRows;

        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var start = chunk * BlockRows;
            var end = Math.Min(start + BlockRows, call.HiddenSize);
            for (var t = 0; t < call.TokenCount; t++) new Span<float>(layer._sum + (long)t * call.HiddenSize + start, end - start).Clear();
            for (var i = 0; i < layer._queues.TouchedCount; i++)
            {
                var (expert, first, count) = layer._queues.Touched[i];
                Multiply(call, (long)expert * call.HiddenSize, first, count, start, end);
            }

            for (var t = 0; t < call.TokenCount; t++)
            {
                var offset = (long)t * call.HiddenSize + start;
                if (call.BFloat16) BFloat16Bits.Narrow(layer._sum + offset, (ushort*)call.Output + offset, end - start);
                else new ReadOnlySpan<float>(layer._sum + offset, end - start).CopyTo(new((float*)call.Output + offset, end - start));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Multiply(in FusedCall call, long downRow, int first, int count, int start, int end)
        {
            var sums = stackalloc float[16];
            var tile = new Tile();
            var columns = Columns(call.FeedForwardSize, count, call.Down, layer._innerBytes);
            for (var column = 0; column < call.FeedForwardSize; column += columns)
            {
                var columnEnd = Math.Min(column + columns, call.FeedForwardSize);
                var quarter = (end - start + 3) / 4;
                for (var row = start; row < start + quarter; row++)
                {
                    var last = end - 1;
                    tile.SetRows(call.Down, downRow + row, downRow + Math.Min(row + quarter, last), downRow + Math.Min(row + 2 * quarter, last), downRow + Math.Min(row + 3 * quarter, last));
                    for (var t = 0; t < count;)
                    {
                        var tokens = TileTokens(count - t);
                        var a = first + t;
                        tile.SetTokens(Inner(a), Inner(Math.Min(a + 1, first + count - 1)), Inner(Math.Min(a + 2, first + count - 1)), Inner(Math.Min(a + 3, first + count - 1)));
                        SetAhead(ref tile, count, t, call.Down);
                        TKernel.Multiply(tile, tokens, column, columnEnd, call.FeedForwardSize, sums);
                        for (var j = 0; j < tokens && t < count; j++, t++)
                        {
                            var sum = layer._sum + layer._queues.Tokens[first + t] * (long)call.HiddenSize;
                            var weight = layer._queues.Weights[first + t];
                            for (var r = 0; r < 4 && row + r * quarter < end; r++) sum[row + r * quarter] += weight * sums[4 * r + j];
                        }
                    }
                }
            }
        }

        private byte* Inner(int assignment) => layer._inner + assignment * layer._innerBytes;
    }
}
