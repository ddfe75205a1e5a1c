using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <inheritdoc />
internal sealed unsafe class RowKernel<TKernel> : ExpertKernel where TKernel : IRowKernel
{
    // With more tokens than fit in one tile a piece of a row meets them all while it is in a near cache, and they stay in
    // the second while the next rows come. Not smaller: every tile begins and ends with some work of its own.
    private const int PieceBytes = 16 << 10, TokenBytes = 512 << 10;

    // Below so many bytes of weights a second thread costs more than it saves.
    private const long BytesWorthSharing = 256 << 10;

    private readonly ExpertQueues _queues = new();
    private readonly NativeBuffer _inputs = new(), _gates = new(), _ups = new(), _intermediates = new(), _sums = new();
    private readonly PrepareInputs _prepareInputs;
    private readonly ComputeIntermediates _computeIntermediates;
    private readonly ComputeOutputs _computeOutputs;

    private ExpertKernelCall _call;
    private float* _sum, _gate, _up;
    private byte* _input, _intermediate;
    private long _inputBytes, _intermediateBytes;

    public RowKernel() => (_prepareInputs, _computeIntermediates, _computeOutputs) = (new(this), new(this), new(this));

    /// <inheritdoc />
    public override void Run(in ExpertKernelCall call)
    {
        var team = ThreadTeam.Shared;
        _call = call;
        var assignments = _queues.Fill(call);
        _inputBytes = TKernel.ActivationBytes(call.HiddenSize);
        _intermediateBytes = TKernel.ActivationBytes(call.IntermediateSize);
        _sum = _sums.Get<float>((long)call.TokenCount * call.HiddenSize);
        _input = _inputs.Get<byte>(call.TokenCount * _inputBytes);
        _gate = _gates.Get<float>((long)assignments * call.IntermediateSize);
        _up = _ups.Get<float>((long)assignments * call.IntermediateSize);
        _intermediate = _intermediates.Get<byte>(assignments * _intermediateBytes);

        var bytes = _queues.TouchedCount * (2 * call.IntermediateSize * call.GateUp.RowBytes + call.HiddenSize * call.Down.RowBytes);
        var threads = bytes < BytesWorthSharing ? 1 : call.Threads;
        team.Run(_prepareInputs, call.TokenCount, threads);
        team.Run(_computeIntermediates, _queues.TouchedCount * _computeIntermediates.BlocksPerExpert, threads);
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

    // What one tile meets is read on and on. What several meet is fetched a round before, and each tile asks for a part of it, so that memory works while they
    // compute.
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
    private sealed class PrepareInputs(RowKernel<TKernel> layer) : ChunkedWork
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
    private sealed class ComputeIntermediates(RowKernel<TKernel> layer) : ChunkedWork
    {
        // A whole number of the next product's pieces, so that the block can be laid out for it right here. Not smaller:
        // at the start of a block four streams begin, and their first lines are waited for.
        private static int BlockRows => Math.Max(128, TKernel.Granule);

        public int BlocksPerExpert => (layer._call.IntermediateSize + BlockRows - 1) / BlockRows;

        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var (expert, first, count) = layer._queues.Touched[chunk / BlocksPerExpert];
            var start = chunk % BlocksPerExpert * BlockRows;
            var end = Math.Min(start + BlockRows, call.IntermediateSize);
            Multiply(call, (long)expert * 2 * call.IntermediateSize, first, count, start, end);
            for (var a = first; a < first + count; a++)
            {
                var gate = layer._gate + a * (long)call.IntermediateSize;
                SwiGlu(gate + start, layer._up + a * (long)call.IntermediateSize + start, gate + start, end - start);
                TKernel.Prepare(gate, start, end, call.IntermediateSize, layer._intermediate + a * layer._intermediateBytes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Multiply(in ExpertKernelCall call, long gateRow, int first, int count, int start, int end)
        {
            var upRow = gateRow + call.IntermediateSize;
            for (var a = first; a < first + count; a++)
            {
                new Span<float>(layer._gate + a * (long)call.IntermediateSize + start, end - start).Clear();
                new Span<float>(layer._up + a * (long)call.IntermediateSize + start, end - start).Clear();
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
                        tile.SetTokens(Input(a), Input(Math.Min(a + 1, first + count - 1)), Input(Math.Min(a + 2, first + count - 1)),
                            Input(Math.Min(a + 3, first + count - 1)));
                        SetAhead(ref tile, count, t, call.GateUp);
                        TKernel.Multiply(tile, tokens, column, columnEnd, call.HiddenSize, sums);
                        for (var j = 0; j < tokens && t < count; j++, t++)
                        {
                            float* gate = layer._gate + (first + t) * (long)call.IntermediateSize, up = layer._up + (first + t) * (long)call.IntermediateSize;
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

    /// <summary>A block of rows of the output, for all tokens: every expert in turn adds weight · (row of down · intermediate).</summary>
    private sealed class ComputeOutputs(RowKernel<TKernel> layer) : ChunkedWork
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
        private void Multiply(in ExpertKernelCall call, long downRow, int first, int count, int start, int end)
        {
            var sums = stackalloc float[16];
            var tile = new Tile();
            var columns = Columns(call.IntermediateSize, count, call.Down, layer._intermediateBytes);
            for (var column = 0; column < call.IntermediateSize; column += columns)
            {
                var columnEnd = Math.Min(column + columns, call.IntermediateSize);
                var quarter = (end - start + 3) / 4;
                for (var row = start; row < start + quarter; row++)
                {
                    var last = end - 1;
                    tile.SetRows(call.Down, downRow + row, downRow + Math.Min(row + quarter, last), downRow + Math.Min(row + 2 * quarter, last),
                        downRow + Math.Min(row + 3 * quarter, last));
                    for (var t = 0; t < count;)
                    {
                        var tokens = TileTokens(count - t);
                        var a = first + t;
                        tile.SetTokens(Intermediate(a), Intermediate(Math.Min(a + 1, first + count - 1)), Intermediate(Math.Min(a + 2, first + count - 1)),
                            Intermediate(Math.Min(a + 3, first + count - 1)));
                        SetAhead(ref tile, count, t, call.Down);
                        TKernel.Multiply(tile, tokens, column, columnEnd, call.IntermediateSize, sums);
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

        private byte* Intermediate(int assignment) => layer._intermediate + assignment * layer._intermediateBytes;
    }
}
