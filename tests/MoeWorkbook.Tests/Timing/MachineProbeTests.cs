using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Timing;

public sealed class MachineProbeTests
{
    private static readonly MachineProbeOptions _quick = new() { ReadBytes = 1 << 24, ReadRounds = 2, GemmShapes = [(64, 64, 64)], GemmRounds = 2 };

    [Fact]
    public void A_probe_finds_positive_and_plausible_limits()
    {
        var probe = MachineProbe.Run(_quick);
        Assert.InRange(probe.ReadBytesPerSecond, 1e8, 1e13);
        Assert.InRange(probe.GemmFlopsPerSecond[ScalarType.Float32], 1e6, 1e15);
        Assert.InRange(probe.GemmFlopsPerSecond[ScalarType.BFloat16], 1e6, 1e15);
        Assert.InRange(probe.SecondsPerCall, 1e-8, 1e-2);
        Assert.Contains("GB/s", probe.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_probe_of_a_GPU_finds_limits_above_any_CPUs()
    {
        var probe = MachineProbe.Run(MachineProbeOptions.For(Needs.Cuda()) with { ReadBytes = 1 << 30 });
        Assert.InRange(probe.ReadBytesPerSecond, 1e11, 1e14);
        Assert.InRange(probe.GemmFlopsPerSecond[ScalarType.BFloat16], 1e12, 1e16);
        Assert.InRange(probe.SecondsPerCall, 1e-7, 1e-3);
    }

    [Fact]
    public void Weights_that_can_be_widened_are_held_against_the_fastest_product()
    {
        var probe = new MachineProbe(1, "", new Dictionary<ScalarType, double> { [ScalarType.Float32] = 5, [ScalarType.BFloat16] = 7 }, 0);
        Assert.Equal(5, probe.GemmRate(WeightType.Float32));
        Assert.Equal(7, probe.GemmRate(WeightType.Int4));
        var slow = probe with { GemmFlopsPerSecond = new Dictionary<ScalarType, double> { [ScalarType.Float32] = 5, [ScalarType.BFloat16] = 1 } };
        Assert.Equal(5, slow.GemmRate(WeightType.BFloat16));
        Assert.Contains("Float16", Assert.Throws<ArgumentException>(() => probe.GemmRate(WeightType.Float16)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_small_try_shows_to_be_hopeless_is_left_out_and_said()
    {
        Assert.Equal(125, new FirstTry(1e9).LeastSeconds(2e12));
        var calls = 0;
        Assert.True(FirstTry.Of(1e6, () => { calls++; Thread.Sleep(10); }).FlopsPerSecond < 1e8);
        Assert.Equal(2, calls);

        var probe = new MachineProbe(1, "", new Dictionary<ScalarType, double> { [ScalarType.Float32] = 5 }, 0) { LeftOut = ["Left out: one."] };
        Assert.Contains("Left out: one.", probe.ToString(), StringComparison.Ordinal);
        Assert.Contains("Left out: one.", probe.ToHtml(), StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void Every_way_of_reading_reads_every_line()
    {
        // One line of every block of 512 bytes differs in turn: a way that leaves a line out misses a difference.
        const int bytes = 1 << 20;
        var memory = GC.AllocateArray<byte>(bytes + 64, pinned: true);
        fixed (byte* pinned = memory)
        {
            var start = pinned + (64 - (long)pinned % 64);
            foreach (var way in StreamingRead.All)
            {
                var before = way.Run(start, bytes, cores: 2);
                for (var line = 0; line < bytes / 64; line += 37)
                {
                    start[line * 64] ^= 1;
                    Assert.NotEqual(before, way.Run(start, bytes, cores: 2));
                    start[line * 64] ^= 1;
                }
            }
        }
    }

    [Fact]
    public void The_bandwidth_can_be_sampled_again_until_the_memory_is_freed()
    {
        using var memory = new ReadBandwidth(1 << 24, rounds: 1);
        Assert.True(memory.Sample() > 0);
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Sample());
    }

    [Fact]
    public void Too_little_memory_is_refused() =>
        Assert.Contains("4 MiB", Assert.Throws<ArgumentException>(() => MachineProbe.Run(new() { ReadBytes = 1000 })).Message, StringComparison.Ordinal);
}
