using MoeWorkbook.Tests.Experts;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Kernels;

[Collection(nameof(Alone))]
public sealed unsafe class KernelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void A_call_of_the_kernel_allocates_nothing(int tokens)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        const int hiddenSize = 256, intermediateSize = 512, experts = 4;
        using var weights = FusedExpertsTests.Experts(experts, hiddenSize, intermediateSize, ScalarType.Float32);
        using var quantized = QuantizedExpertWeights.Quantize(weights, WeightType.Int4);
        var (hidden, routing) = FusedExpertsTests.Routed(tokens, experts, hiddenSize, ScalarType.Float32);
        var output = empty_like(hidden);
        var call = new ExpertKernelCall
        {
            GateUp = new((nint)TensorMemory.Address(weights.GateUp, "gate_up"), hiddenSize * sizeof(float)),
            Down = new((nint)TensorMemory.Address(weights.Down, "down"), intermediateSize * sizeof(float)),
            HiddenSize = hiddenSize,
            IntermediateSize = intermediateSize,
            ExpertCount = experts,
            Hidden = TensorMemory.Address(hidden, "hidden"),
            Output = TensorMemory.Address(output, "output"),
            TokenCount = tokens,
            Tokens = (long*)TensorMemory.Address(routing.Tokens, "tokens"),
            Experts = (long*)TensorMemory.Address(routing.Experts, "experts"),
            Weights = (float*)TensorMemory.Address(routing.Weights, "weights"),
            Kept = (bool*)TensorMemory.Address(routing.Kept, "kept"),
            AssignmentCount = 2 * tokens,
            Threads = 2,
        };
        Assert.Equal(0, Allocated(new RowKernel<FloatRows<Float32Format, Lanes512, System.Runtime.Intrinsics.Vector512<float>>>(), call));
        call.GateUp = quantized.GateUp.Rows;
        call.Down = quantized.Down.Rows;
        Assert.Equal(0, Allocated(new RowKernel<IntegerRows<Int4Format, PortableProduct>>(), call));

        // The least of many calls: other threads of the process allocate now and then, a call would each time.
        static long Allocated(ExpertKernel kernel, ExpertKernelCall call)
        {
            kernel.Run(call);
            var least = long.MaxValue;
            for (var round = 0; round < 100; round++)
            {
                var before = GC.GetTotalAllocatedBytes(precise: true);
                kernel.Run(call);
                least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            }

            return least;
        }
    }

    [Fact]
    public void What_a_runner_allocates_does_not_grow_with_the_sizes()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var runner = new FusedExperts();
        Assert.InRange(Allocated(16, 1024) - Allocated(1, 64), -4096, 4096);

        long Allocated(int tokens, int size)
        {
            using var experts = FusedExpertsTests.Experts(4, size, size, ScalarType.Float32);
            var (hidden, routing) = FusedExpertsTests.Routed(tokens, 4, size, ScalarType.Float32);
            for (var i = 0; i < 3; i++) runner.Run(hidden, routing, experts).Dispose();
            var before = GC.GetAllocatedBytesForCurrentThread();
            runner.Run(hidden, routing, experts).Dispose();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void A_team_does_every_chunk_once()
    {
        foreach (var size in new[] { 1, 2, 5 })
        {
            var team = new ThreadTeam(size);
            var work = new Counting(100);
            for (var round = 0; round < 200; round++)
            {
                team.Run(work, round % 101, threads: 1 + round % 6);
                if (round % 50 == 0) Thread.Sleep(5); // long enough for the workers to fall asleep
            }

            var expected = Enumerable.Range(0, 100).Select(chunk => Enumerable.Range(0, 200).Count(round => round % 101 > chunk));
            Assert.Equal(expected, work.Done);
        }
    }

    [Fact]
    public void Rows_beyond_two_gigabytes_are_addressed_with_64_bits()
    {
        // Mixtral's input projections in float32: the last row of the last expert.
        var rows = new WeightRows(1 << 20, 4096 * sizeof(float), 7, 4);
        const long last = 8 * 2 * 14336 - 1;
        Assert.Equal((1 << 20) + 3_758_080_000L, (long)rows.Row(last));
        Assert.Equal(7 + last * 4, (long)rows.Scale(last));
    }

    [Fact]
    public void Addresses_are_those_of_the_elements_and_only_of_contiguous_tensors()
    {
        using var scope = NewDisposeScope();
        var tensor = arange(24, ScalarType.Float32).view(4, 6);
        Assert.Equal(7, ((float*)TensorMemory.Address(tensor, "t"))[7]);
        Assert.Equal((nint)TensorMemory.Address(tensor, "t") + 12 * sizeof(float), (nint)TensorMemory.Address(tensor.narrow(0, 2, 2), "t"));
        Assert.Contains("not contiguous", Assert.Throws<ArgumentException>(() => { TensorMemory.Address(tensor.t(), "t"); }).Message);
    }

    [Fact]
    public void A_tensor_larger_than_a_span_is_read_to_its_end()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("WORKBOOK_LARGE_TESTS") is null, "it takes 3.76 GB: WORKBOOK_LARGE_TESTS=1 runs it");
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        const int hiddenSize = 4096, intermediateSize = 14336;
        using var experts = new ExpertWeights(8, hiddenSize, intermediateSize, init: new() { LeaveUninitialized = true });
        experts.GateUp.select(0, 7).normal_(0, 0.02);
        experts.Down.select(0, 7).normal_(0, 0.02);
        var (hidden, routing) = FusedExpertsTests.Routed(1, 8, hiddenSize, ScalarType.Float32);
        routing = routing with { Experts = tensor(new long[] { 7, 7 }) };
        Assert.InRange(FusedExpertsTests.Difference(new FusedExperts().Run(hidden, routing, experts), new LoopExperts().Run(hidden, routing, experts)), 0,
            1e-5);
    }

    private sealed class Counting(int chunks) : ChunkedWork
    {
        public int[] Done { get; } = new int[chunks];

        public override void Do(int chunk) => Interlocked.Increment(ref Done[chunk]);
    }
}
