using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <summary>The SwiGLU experts of a large batch, where arithmetic is what takes the time: each weight that is read meets all of its expert's tokens.</summary>
/// <remarks>
/// The tokens of an expert stand side by side in panels, <c>[columns, width]</c>, so that one register holds a column of as
/// many tokens: a row of weights is read as it lies in memory, number by number, and multiplied with whole registers. The
/// products have the same form, <c>[rows, width]</c>, and so are the next product's panels: nothing is transposed in between.
/// As in <see cref="RowKernel{TKernel}"/> two pieces of parallel work span all experts.
/// </remarks>
internal sealed unsafe class PanelKernel<TFormat, TLanes, TVector> : ExpertKernel
    where TFormat : IPanelFormat
    where TLanes : IFloatLanes<TVector>
{
    // So many columns of a panel stay in the second cache while the rows of a block pass by, and of a row in the first.
    private const int ColumnBlock = 1024;

    // Rows of a chunk of work: whole tiles.
    private const int BlockRows = 8 * PanelTile.Rows;

    // Below so many multiplications a second thread costs more than it saves.
    private const long WorkWorthSharing = 1 << 20;

    private readonly ExpertQueues _queues = new();
    private readonly NativeBuffer _inputs = new(), _products = new(), _ups = new(), _intermediates = new(), _sums = new();
    private readonly LayOutInputs _layOutInputs;
    private readonly ComputeIntermediates _computeIntermediates;
    private readonly ComputeOutputs _computeOutputs;

    private ExpertKernelCall _call;
    private Panel[] _panels = [];
    private int[] _firstPanel = []; // of each touched expert, and the number of panels after the last
    private float* _input, _product, _up, _intermediate, _sum; // the product is that with gate, and then that with down

    public PanelKernel() => (_layOutInputs, _computeIntermediates, _computeOutputs) = (new(this), new(this), new(this));

    /// <inheritdoc />
    public override void Run(in ExpertKernelCall call)
    {
        var team = ThreadTeam.Shared;
        _call = call;
        var assignments = _queues.Fill(call);
        var (panelCount, width) = LayOutPanels();
        _input = _inputs.Get<float>(width * call.HiddenSize);
        _product = _products.Get<float>(width * Math.Max(call.IntermediateSize, call.HiddenSize));
        _up = _ups.Get<float>(width * call.IntermediateSize);
        _intermediate = _intermediates.Get<float>(width * call.IntermediateSize);
        _sum = call.BFloat16 ? _sums.Get<float>((long)call.TokenCount * call.HiddenSize) : (float*)call.Output;

        var threads = assignments * 3L * call.HiddenSize * call.IntermediateSize < WorkWorthSharing ? 1 : call.Threads;
        team.Run(_layOutInputs, panelCount, threads);
        team.Run(_computeIntermediates, _queues.TouchedCount * _computeIntermediates.BlocksPerExpert, threads);
        team.Run(_computeOutputs, _computeOutputs.Blocks, threads);
    }

    // Panels of four, two or one registers, so that no more than one in two of a panel's places is empty.
    private (int Count, long Width) LayOutPanels()
    {
        if (_firstPanel.Length <= _queues.TouchedCount) _firstPanel = new int[_call.ExpertCount + 1];
        var count = 0;
        long offset = 0;
        for (var i = 0; i < _queues.TouchedCount; i++)
        {
            var (_, first, left) = _queues.Touched[i];
            _firstPanel[i] = count;
            for (Panel panel; left > 0; left -= panel.Count, first += panel.Count, offset += panel.Width)
            {
                var width = PanelTile.Registers(left, TLanes.Width) * TLanes.Width;
                panel = new(first, Math.Min(left, width), width, offset);
                if (count == _panels.Length) Array.Resize(ref _panels, 2 * count + 8);
                _panels[count++] = panel;
            }
        }

        _firstPanel[_queues.TouchedCount] = count;
        return (count, offset);
    }

    private ReadOnlySpan<Panel> Panels(int touched) => _panels.AsSpan(_firstPanel[touched].._firstPanel[touched + 1]);

    /// <summary>Rows of a matrix times all panels of an expert.</summary>
    /// <param name="weights">The matrices of all experts.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="columns">Columns of a row.</param>
    /// <param name="panels">The expert's panels.</param>
    /// <param name="inputs">All panels' columns.</param>
    /// <param name="outputs">Where all panels' products are.</param>
    /// <param name="outputRows">Rows of a panel in the outputs.</param>
    /// <param name="outputRow">The first row's place there.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(in WeightRows weights, long firstRow, int rows, int columns, ReadOnlySpan<Panel> panels, float* inputs,
        float* outputs, int outputRows, int outputRow)
    {
        var scratch = stackalloc float[TFormat.Converts ? PanelTile.Rows * ColumnBlock + 16 : 1];
        scratch = (float*)(((nint)scratch + 63) & ~63);
        foreach (ref readonly var panel in panels)
            new Span<float>(outputs + panel.Offset * outputRows + (long)outputRow * panel.Width, rows * panel.Width).Clear();
        for (var start = 0; start < columns; start += ColumnBlock)
        {
            var length = Math.Min(ColumnBlock, columns - start);
            for (var row = 0; row < rows;)
            {
                // Where less than a tile is left, its rows are one and the same: each sum is computed and stored six times.
                var together = rows - row >= PanelTile.Rows;
                var data = (float*)weights.Row(firstRow + row) + start;
                var stride = together ? (nint)weights.RowBytes / sizeof(float) : 0;
                if (TFormat.Converts)
                {
                    for (var r = 0; r < (together ? PanelTile.Rows : 1); r++)
                        TFormat.Convert(weights.Row(firstRow + row + r), start, length, scratch + r * ColumnBlock);
                    data = scratch;
                    stride = together ? ColumnBlock : 0;
                }

                foreach (ref readonly var panel in panels)
                {
                    var x = inputs + panel.Offset * columns + (long)start * panel.Width;
                    var y = outputs + panel.Offset * outputRows + (long)(outputRow + row) * panel.Width;
                    PanelTile.Multiply<TLanes, TVector>(data, stride, x, y, together ? panel.Width : 0, length, panel.Width / TLanes.Width);
                }

                row += together ? PanelTile.Rows : 1;
            }
        }
    }

    /// <summary>Some tokens of one expert.</summary>
    /// <param name="First">The first of its assignments.</param>
    /// <param name="Count">How many.</param>
    /// <param name="Width">Places, of which the last may be empty.</param>
    /// <param name="Offset">Places before it in all panels before.</param>
    private readonly record struct Panel(int First, int Count, int Width, long Offset);

    /// <summary>The hidden states of a panel's tokens, one beside the other, and zeros in the empty places.</summary>
    private sealed class LayOutInputs(PanelKernel<TFormat, TLanes, TVector> layer) : ChunkedWork
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var panel = layer._panels[chunk];
            var input = layer._input + panel.Offset * call.HiddenSize;
            new Span<float>(input, call.HiddenSize * panel.Width).Clear();
            for (var j = 0; j < panel.Count; j++)
            {
                var start = (long)layer._queues.Tokens[panel.First + j] * call.HiddenSize;
                if (call.BFloat16)
                {
                    var values = (ushort*)call.Hidden + start;
                    for (var c = 0; c < call.HiddenSize; c++) input[(long)c * panel.Width + j] = BitConverter.UInt32BitsToSingle((uint)values[c] << 16);
                }
                else
                {
                    var values = (float*)call.Hidden + start;
                    for (var c = 0; c < call.HiddenSize; c++) input[(long)c * panel.Width + j] = values[c];
                }
            }
        }
    }

    /// <summary>A block of rows of one expert's gate and up, for all tokens that chose it.</summary>
    private sealed class ComputeIntermediates(PanelKernel<TFormat, TLanes, TVector> layer) : ChunkedWork
    {
        public int BlocksPerExpert => (layer._call.IntermediateSize + BlockRows - 1) / BlockRows;

        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var (touched, block) = Math.DivRem(chunk, BlocksPerExpert);
            var start = block * BlockRows;
            var rows = Math.Min(BlockRows, call.IntermediateSize - start);
            var gateRow = layer._queues.Touched[touched].Expert * 2L * call.IntermediateSize + start;
            var panels = layer.Panels(touched);
            Multiply(call.GateUp, gateRow, rows, call.HiddenSize, panels, layer._input, layer._product, call.IntermediateSize, start);
            Multiply(call.GateUp, gateRow + call.IntermediateSize, rows, call.HiddenSize, panels, layer._input, layer._up, call.IntermediateSize, start);
            foreach (ref readonly var panel in panels)
            {
                var first = panel.Offset * call.IntermediateSize + (long)start * panel.Width;
                SwiGlu(layer._product + first, layer._up + first, layer._intermediate + first, rows * panel.Width);
            }
        }
    }

    /// <summary>A block of rows of the output, for all tokens: every expert in turn adds weight · (rows of down · intermediate).</summary>
    private sealed class ComputeOutputs(PanelKernel<TFormat, TLanes, TVector> layer) : ChunkedWork
    {
        public int Blocks => (layer._call.HiddenSize + BlockRows - 1) / BlockRows;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Do(int chunk)
        {
            ref readonly var call = ref layer._call;
            var start = chunk * BlockRows;
            var rows = Math.Min(BlockRows, call.HiddenSize - start);
            for (var t = 0; t < call.TokenCount; t++) new Span<float>(layer._sum + (long)t * call.HiddenSize + start, rows).Clear();
            for (var i = 0; i < layer._queues.TouchedCount; i++)
            {
                var panels = layer.Panels(i);
                Multiply(call.Down, layer._queues.Touched[i].Expert * (long)call.HiddenSize + start, rows, call.IntermediateSize, panels, layer._intermediate,
                    layer._product, call.HiddenSize, start);
                foreach (ref readonly var panel in panels)
                {
                    var product = layer._product + panel.Offset * call.HiddenSize + (long)start * panel.Width;
                    for (var j = 0; j < panel.Count; j++)
                    {
                        var sum = layer._sum + (long)layer._queues.Tokens[panel.First + j] * call.HiddenSize + start;
                        var weight = layer._queues.Weights[panel.First + j];
                        for (var r = 0; r < rows; r++) sum[r] += weight * product[r * panel.Width + j];
                    }
                }
            }

            if (!call.BFloat16) return;
            for (var t = 0; t < call.TokenCount; t++)
            {
                var offset = (long)t * call.HiddenSize + start;
                BFloat16Bits.Narrow(layer._sum + offset, (ushort*)call.Output + offset, rows);
            }
        }
    }
}
