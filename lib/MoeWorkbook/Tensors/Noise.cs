using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Random numbers for any device. A generator is the CPU's: what it gives is drawn there and moved, so that the same seed gives the same numbers on
/// every device. Without one they are drawn where they are needed.</summary>
internal static class Noise
{
    /// <summary>Uniform numbers from 0 to 1, float32.</summary>
    public static Tensor Uniform(long[] shape, Device device, Generator? generator) =>
        rand(shape, dtype: ScalarType.Float32, device: Source(device, generator), generator: generator!).to(device);

    /// <summary>Numbers from N(0, 1).</summary>
    public static Tensor Normal(long[] shape, ScalarType type, Device device, Generator? generator) =>
        randn(shape, dtype: type, device: Source(device, generator), generator: generator!).to(device);

    /// <summary>The numbers from 0 to below <paramref name="count"/> in a random order, <c>[count]</c>.</summary>
    public static Tensor Permutation(long count, Device device, Generator? generator) =>
        randperm(count, ScalarType.Int64, Source(device, generator), generator: generator!).to(device);

    private static Device Source(Device device, Generator? generator) => generator is null ? device : CPU;
}
