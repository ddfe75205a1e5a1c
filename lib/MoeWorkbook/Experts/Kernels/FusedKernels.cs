using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>From tensors to addresses: picks the kernel for a type of weights and calls it.</summary>
internal sealed unsafe class FusedKernels(Instructions instructions)
{
    private FusedFeedForward? _float32, _bfloat16, _int8, _int4, _batchedFloat32, _batchedBFloat16, _batchedInt8, _batchedInt4;

    /// <summary>Whether the kernels for large batches are to be used.</summary>
    public bool Batched { get; init; }

    public Tensor Run(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        var elementBytes = hidden.element_size();
        var call = new FusedCall
        {
            GateUp = new((nint)TensorMemory.Address(experts.GateUp, "experts.GateUp"), experts.HiddenSize * elementBytes),
            Down = new((nint)TensorMemory.Address(experts.Down, "experts.Down"), experts.FeedForwardSize * elementBytes),
            HiddenSize = experts.HiddenSize,
            FeedForwardSize = experts.FeedForwardSize,
            ExpertCount = experts.ExpertCount,
        };
        var kernel = (hidden.dtype == ScalarType.BFloat16, Batched) switch
        {
            (true, false) => _bfloat16 ??= Floating<BFloat16Format>(),
            (false, false) => _float32 ??= Floating<Float32Format>(),
            (true, true) => _batchedBFloat16 ??= Batches<BFloat16Panel>(),
            (false, true) => _batchedFloat32 ??= Batches<Float32Panel>(),
        };
        return Run(kernel, call, hidden, routing, experts);
    }

    public Tensor Run(Tensor hidden, RoutingDecision routing, QuantizedExpertWeights experts)
    {
        var call = new FusedCall
        {
            GateUp = experts.GateUp.Rows,
            Down = experts.Down.Rows,
            HiddenSize = experts.HiddenSize,
            FeedForwardSize = experts.FeedForwardSize,
            ExpertCount = experts.ExpertCount,
        };
        var kernel = (experts.Type == WeightType.Int8, Batched) switch
        {
            (true, false) => _int8 ??= Integer<Int8Format>(),
            (false, false) => _int4 ??= Integer<Int4Format>(),
            (true, true) => _batchedInt8 ??= Batches<IntegerPanel<Int8Format>>(),
            (false, true) => _batchedInt4 ??= Batches<IntegerPanel<Int4Format>>(),
        };
        return Run(kernel, call, hidden, routing, experts);
    }

    private static Tensor Run(FusedFeedForward kernel, FusedCall call, Tensor hidden, RoutingDecision routing, object owner)
    {
        hidden = hidden.detach().contiguous();
        var output = empty_like(hidden); // [tokens, hidden]
        var (tokens, experts, kept) = (routing.Tokens.contiguous(), routing.Experts.contiguous(), routing.Kept.contiguous());
        var weights = routing.Weights.detach().to(ScalarType.Float32).contiguous();
        call.Hidden = TensorMemory.Address(hidden, nameof(hidden));
        call.Output = TensorMemory.Address(output, nameof(output));
        call.BFloat16 = hidden.dtype == ScalarType.BFloat16;
        call.TokenCount = (int)hidden.shape[0];
        call.Tokens = (long*)TensorMemory.Address(tokens, "routing.Tokens");
        call.Experts = (long*)TensorMemory.Address(experts, "routing.Experts");
        call.Weights = (float*)TensorMemory.Address(weights, "routing.Weights");
        call.Kept = (bool*)TensorMemory.Address(kept, "routing.Kept");
        call.AssignmentCount = (int)tokens.numel();
        call.Threads = get_num_threads();
        lock (ThreadTeam.Shared) kernel.Run(call, ThreadTeam.Shared);
        // Addresses keep nothing alive: not the scratch memory, not the caller's weights; the other tensors are held by the dispose scope.
        GC.KeepAlive(kernel);
        GC.KeepAlive(owner);
        return output;
    }

    private FusedFeedForward Floating<TFormat>() where TFormat : IFloatFormat => instructions.VectorBits switch
    {
        512 => new FusedFeedForward<FloatRows<TFormat, Lanes512, Vector512<float>>>(),
        256 => new FusedFeedForward<FloatRows<TFormat, Lanes256, Vector256<float>>>(),
        _ => new FusedFeedForward<FloatRows<TFormat, Lanes128, Vector128<float>>>(),
    };

    private FusedFeedForward Batches<TFormat>() where TFormat : IPanelFormat => instructions.VectorBits switch
    {
        512 => new BatchedFeedForward<TFormat, Lanes512, Vector512<float>>(),
        256 => new BatchedFeedForward<TFormat, Lanes256, Vector256<float>>(),
        _ => new BatchedFeedForward<TFormat, Lanes128, Vector128<float>>(),
    };

    private FusedFeedForward Integer<TFormat>() where TFormat : IIntegerFormat => instructions.ByteProduct switch
    {
        ByteProduct.AvxVnni => new FusedFeedForward<IntegerRows<TFormat, AvxVnniProduct>>(),
        ByteProduct.Avx2 => new FusedFeedForward<IntegerRows<TFormat, Avx2Product>>(),
        _ => new FusedFeedForward<IntegerRows<TFormat, PortableProduct>>(),
    };
}
