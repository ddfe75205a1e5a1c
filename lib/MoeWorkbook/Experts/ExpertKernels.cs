using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>From tensors to addresses: picks the kernel for a type of weights and calls it.</summary>
internal sealed unsafe class ExpertKernels(Instructions instructions, KernelKind? always)
{
    // Teams of threads belong to the process: one call at a time, whoever makes it.
    private static readonly Lock _oneAtATime = new();

    // Each as it is first needed.
    private ExpertKernel? _rowsFloat32, _rowsBFloat16, _rowsInt8, _rowsInt4, _panelsFloat32, _panelsBFloat16;
    private LibtorchKernel? _libtorch;

    public Tensor Run(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        var elementBytes = hidden.element_size();
        var call = new ExpertKernelCall
        {
            GateUp = new((nint)TensorMemory.Address(experts.GateUp, "experts.GateUp"), experts.HiddenSize * elementBytes),
            Down = new((nint)TensorMemory.Address(experts.Down, "experts.Down"), experts.IntermediateSize * elementBytes),
            HiddenSize = experts.HiddenSize,
            IntermediateSize = experts.IntermediateSize,
            ExpertCount = experts.ExpertCount,
        };
        var bfloat16 = hidden.dtype == ScalarType.BFloat16;
        var kernel = Choose(routing, call, bfloat16 ? WeightType.BFloat16 : WeightType.Float32) switch
        {
            KernelKind.Rows => bfloat16 ? _rowsBFloat16 ??= Rows<BFloat16Format>() : _rowsFloat32 ??= Rows<Float32Format>(),
            KernelKind.Panels => bfloat16 ? _panelsBFloat16 ??= Panels<BFloat16Panel>() : _panelsFloat32 ??= Panels<Float32Panel>(),
            _ => Libtorch(new BFloat16Blocks(experts.GateUp.detach()), new BFloat16Blocks(experts.Down.detach())),
        };
        return Run(kernel, call, hidden, routing, experts);
    }

    public Tensor Run(Tensor hidden, RoutingDecision routing, QuantizedExpertWeights experts)
    {
        var call = new ExpertKernelCall
        {
            GateUp = experts.GateUp.Rows,
            Down = experts.Down.Rows,
            HiddenSize = experts.HiddenSize,
            IntermediateSize = experts.IntermediateSize,
            ExpertCount = experts.ExpertCount,
        };
        var int8 = experts.Type == WeightType.Int8;
        var kernel = Choose(routing, call, experts.Type) switch
        {
            KernelKind.Rows => int8 ? _rowsInt8 ??= IntegerRows<Int8Format, Avx2Product>() : _rowsInt4 ??= IntegerRows<Int4Format, Avx2NibbleProduct>(),
            _ => int8 ? Libtorch<Int8Format>(experts) : Libtorch<Int4Format>(experts),
        };
        return Run(kernel, call, hidden, routing, experts);
    }

    /// <summary>Tokens of a chosen expert, on average.</summary>
    public static double TokensPerExpert(RoutingDecision routing)
    {
        // No need to count so few.
        if (routing.TokenCount <= KernelChoice.FewestCrossover) return routing.TokenCount;
        using var scope = NewDisposeScope();
        var load = routing.Load(keptOnly: true).data<long>().ToArray();
        return load.Sum() / (double)Math.Max(1, load.Count(n => n > 0));
    }

    private KernelKind Choose(RoutingDecision routing, in ExpertKernelCall call, WeightType type)
    {
        if (always is { } kind) return kind;
        return KernelChoice.For(instructions, type, TokensPerExpert(routing), (long)call.HiddenSize * call.IntermediateSize);
    }

    private static Tensor Run(ExpertKernel kernel, ExpertKernelCall call, Tensor hidden, RoutingDecision routing, object owner)
    {
        var (type, tokens) = (hidden.dtype, (int)hidden.shape[0]);
        var output = empty(tokens, call.HiddenSize, dtype: type, device: CPU); // [tokens, hidden]
        call.Hidden = TensorMemory.Contiguous(hidden);
        call.Output = TensorMemory.Contiguous(output);
        call.BFloat16 = type == ScalarType.BFloat16;
        call.TokenCount = tokens;
        call.Tokens = (long*)TensorMemory.Contiguous(routing.Tokens);
        call.Experts = (long*)TensorMemory.Contiguous(routing.Experts);
        var weights = routing.Weights.dtype == ScalarType.Float32 ? routing.Weights : routing.Weights.to(ScalarType.Float32);
        call.Weights = (float*)TensorMemory.Contiguous(weights);
        call.Kept = (bool*)TensorMemory.Contiguous(routing.Kept);
        call.AssignmentCount = (int)routing.Tokens.numel();
        call.Threads = get_num_threads();
        lock (_oneAtATime) kernel.Run(call);
        // Addresses keep nothing alive: not the scratch memory, not the caller's tensors; the other tensors are held by the dispose scope.
        GC.KeepAlive(kernel);
        GC.KeepAlive(owner);
        GC.KeepAlive(hidden);
        GC.KeepAlive(routing);
        return output;
    }

    private ExpertKernel Rows<TFormat>() where TFormat : IFloatFormat => instructions.VectorBits switch
    {
        512 => new RowKernel<FloatRows<TFormat, Lanes512, Vector512<float>>>(),
        256 => new RowKernel<FloatRows<TFormat, Lanes256, Vector256<float>>>(),
        _ => new RowKernel<FloatRows<TFormat, Lanes128, Vector128<float>>>(),
    };

    private ExpertKernel Panels<TFormat>() where TFormat : IPanelFormat => instructions.VectorBits switch
    {
        512 => new PanelKernel<TFormat, Lanes512, Vector512<float>>(),
        256 => new PanelKernel<TFormat, Lanes256, Vector256<float>>(),
        _ => new PanelKernel<TFormat, Lanes128, Vector128<float>>(),
    };

    private ExpertKernel IntegerRows<TFormat, TAvx2>() where TFormat : IIntegerFormat where TAvx2 : IByteProduct => instructions.ByteProduct switch
    {
        ByteProduct.AvxVnni => new RowKernel<IntegerRows<TFormat, AvxVnniProduct>>(),
        ByteProduct.Avx2 => new RowKernel<IntegerRows<TFormat, TAvx2>>(),
        _ => new RowKernel<IntegerRows<TFormat, PortableProduct>>(),
    };

    private LibtorchKernel Libtorch<TFormat>(QuantizedExpertWeights experts) where TFormat : IIntegerFormat =>
        Libtorch(new IntegerBlocks<TFormat>(experts.GateUp, experts.HiddenSize), new IntegerBlocks<TFormat>(experts.Down, experts.IntermediateSize));

    private LibtorchKernel Libtorch(IBlockSource gateUp, IBlockSource down)
    {
        _libtorch ??= new();
        _libtorch.Use(gateUp, down);
        return _libtorch;
    }
}
