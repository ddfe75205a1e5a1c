using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The SwiGLU experts of a large batch with libtorch's bfloat16 product, for processors that have instructions for it: .NET has none.</summary>
/// <remarks>
/// The form is that of <see cref="PanelKernel{TFormat,TLanes,TVector}"/>: an expert's tokens side by side, <c>[columns, width]</c>,
/// weights · tokens, nothing transposed in between. Each of two pieces of parallel work multiplies blocks of rows. Products are
/// rounded to bfloat16, as the loop's are; the sum over a token's experts is kept in float32.
/// </remarks>
internal sealed unsafe class LibtorchKernel : ExpertKernel
{
    // oneDNN multiplies blocks of these sizes up to a half faster than ones of 1,024 rows or whole matrices: rows of 8 KiB
    // stand in the way of one another in the second cache, and fewer at a time do less so.
    private const int UpRows = 448, DownRows = 256;

    // A panel is so wide that whole registers of 16 fit.
    private const int Granule = 16;

    private readonly ExpertQueues _queues = new();
    private readonly NativeBuffer _sums = new();
    private readonly LayOutInputs _layOutInputs;
    private readonly ComputeIntermediates _computeIntermediates;
    private readonly ComputeOutputs _computeOutputs;

    private ExpertKernelCall _call;
    private IBlockSource _gateUps = null!, _downs = null!;
    private Tensor[] _inputs = [], _intermediates = []; // of each touched expert, [columns, width]
    private float* _sum;

    public LibtorchKernel() => (_layOutInputs, _computeIntermediates, _computeOutputs) = (new(this), new(this), new(this));

    /// <summary>Where the next call's weights come from.</summary>
    public void Use(IBlockSource gateUp, IBlockSource down) => (_gateUps, _downs) = (gateUp, down);

    /// <inheritdoc />
    public override void Run(in ExpertKernelCall call)
    {
        _call = call;
        _queues.Fill(call);
        _sum = call.BFloat16 ? _sums.Get<float>((long)call.TokenCount * call.HiddenSize) : (float*)call.Output;
        _inputs = Panels(_gateUps.Columns);
        _intermediates = Panels(_downs.Columns);
        var libtorch = LibtorchTeam.Shared;
        libtorch.Run(_layOutInputs, _queues.TouchedCount * _layOutInputs.BlocksPerExpert, call.Threads);
        libtorch.Run(_computeIntermediates, _queues.TouchedCount * _computeIntermediates.BlocksPerExpert, call.Threads);
        libtorch.Run(_computeOutputs, _computeOutputs.Blocks, call.Threads);
        (_inputs, _intermediates) = ([], []);
    }

    private Tensor[] Panels(int columns) =>
        [.. Enumerable.Range(0, _queues.TouchedCount).Select(i => empty([columns, Width(_queues.Touched[i].Count)], dtype: ScalarType.BFloat16))];

    private static int Width(int tokens) => (tokens + Granule - 1) / Granule * Granule;

    private static ushort* Address(Tensor tensor) => (ushort*)TensorMemory.Address(tensor, nameof(tensor));

    /// <summary>A block of columns of the hidden states of an expert's tokens, one beside the other; zeros in the empty places.</summary>
    private sealed class LayOutInputs(LibtorchKernel layer) : ChunkedWork
    {
        private const int BlockColumns = 256;

        public int BlocksPerExpert => (layer._gateUps.Columns + BlockColumns - 1) / BlockColumns;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var (touched, block) = Math.DivRem(chunk, BlocksPerExpert);
            var (_, first, count) = layer._queues.Touched[touched];
            var width = Width(count);
            var to = Address(layer._inputs[touched]);
            var start = block * BlockColumns;
            var stored = Math.Min(BlockColumns, layer._gateUps.Columns - start);
            var columns = Math.Clamp(call.HiddenSize - start, 0, stored);
            var places = stackalloc ushort*[BlockColumns];
            for (var c = 0; c < stored; c++)
            {
                places[c] = to + (long)layer._gateUps.Place(start + c) * width;
                new Span<ushort>(places[c], width).Clear();
            }

            for (var j = 0; j < count; j++)
            {
                var at = layer._queues.Tokens[first + j] * (long)call.HiddenSize + start;
                if (call.BFloat16)
                    for (var c = 0; c < columns; c++) places[c][j] = ((ushort*)call.Hidden)[at + c];
                else
                    for (var c = 0; c < columns; c++) places[c][j] = BFloat16Bits.Narrow(((float*)call.Hidden)[at + c]);
            }
        }
    }

    /// <summary>A block of rows of one expert's gate and up, for all tokens that chose it.</summary>
    private sealed class ComputeIntermediates(LibtorchKernel layer) : ChunkedWork
    {
        public int BlocksPerExpert => (layer._call.IntermediateSize + UpRows - 1) / UpRows;

        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var (touched, block) = Math.DivRem(chunk, BlocksPerExpert);
            var (expert, _, count) = layer._queues.Touched[touched];
            var start = block * UpRows;
            var rows = Math.Min(UpRows, call.IntermediateSize - start);
            var gateRow = expert * 2L * call.IntermediateSize + start;
            var upRow = gateRow + call.IntermediateSize;
            Tensor gate = mm(layer._gateUps.Block(gateRow, rows), layer._inputs[touched]), up = mm(layer._gateUps.Block(upRow, rows),
                layer._inputs[touched]); // [rows, width]
            ushort* gates = Address(gate), ups = Address(up), intermediates = Address(layer._intermediates[touched]);
            var width = Width(count);
            for (var r = 0; r < rows; r++)
                SwiGlu(gates + r * width, layer._gateUps.Scale(gateRow + r), ups + r * width, layer._gateUps.Scale(upRow + r),
                    intermediates + (long)layer._downs.Place(start + r) * width, width);
            if (start + rows < call.IntermediateSize) return;
            for (var r = call.IntermediateSize; r < layer._downs.Columns; r++) new Span<ushort>(intermediates + (long)layer._downs.Place(r) * width, width)
                .Clear();
        }

        /// <summary>intermediate ← gate · σ(gate) · up.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void SwiGlu(ushort* gate, float gateScale, ushort* up, float upScale, ushort* intermediate, int count)
        {
            for (var i = 0; i < count; i += Granule)
            {
                var g = Lanes512.LoadBFloat16(gate + i) * gateScale;
                BFloat16Bits.Narrow(g / (Vector512<float>.One + Vector512.Exp(-g)) * (Lanes512.LoadBFloat16(up + i) * upScale)).Store(intermediate + i);
            }
        }
    }

    /// <summary>A block of rows of the output, for all tokens: every expert in turn adds weight · (rows of down · intermediate).</summary>
    private sealed class ComputeOutputs(LibtorchKernel layer) : ChunkedWork
    {
        public int Blocks => (layer._call.HiddenSize + DownRows - 1) / DownRows;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var start = chunk * DownRows;
            var rows = Math.Min(DownRows, call.HiddenSize - start);
            for (var t = 0; t < call.TokenCount; t++) new Span<float>(layer._sum + (long)t * call.HiddenSize + start, rows).Clear();
            for (var i = 0; i < layer._queues.TouchedCount; i++)
            {
                var (expert, first, count) = layer._queues.Touched[i];
                var row = expert * (long)call.HiddenSize + start;
                using var product = mm(layer._downs.Block(row, rows), layer._intermediates[i]); // [rows, width]
                AddToTokens(call, Address(product), row, start, rows, first, count);
            }

            if (!call.BFloat16) return;
            for (var t = 0; t < call.TokenCount; t++)
            {
                var offset = (long)t * call.HiddenSize + start;
                BFloat16Bits.Narrow(layer._sum + offset, (ushort*)call.Output + offset, rows);
            }
        }

        // A cache line of each token's sum after the other.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void AddToTokens(in ExpertKernelCall call, ushort* product, long row, int start, int rows, int first, int count)
        {
            const int lineRows = 16;
            var width = Width(count);
            var scales = stackalloc float[lineRows];
            for (var line = 0; line < rows; line += lineRows, product += lineRows * width)
            {
                var end = Math.Min(lineRows, rows - line);
                for (var r = 0; r < end; r++) scales[r] = layer._downs.Scale(row + line + r);
                for (var j = 0; j < count; j++)
                {
                    var sum = layer._sum + layer._queues.Tokens[first + j] * (long)call.HiddenSize + start + line;
                    var weight = layer._queues.Weights[first + j];
                    for (var r = 0; r < end; r++) sum[r] += weight * scales[r] * BitConverter.UInt32BitsToSingle((uint)product[r * width + j] << 16);
                }
            }
        }
    }
}
