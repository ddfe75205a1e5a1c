using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Tensors;

public sealed class ComputeDeviceTests
{
    [Theory]
    [InlineData(null, 0, DeviceType.CPU, -1)]
    [InlineData("", 2, DeviceType.CUDA, 0)]
    [InlineData("cpu", 2, DeviceType.CPU, -1)]
    [InlineData("cuda", 2, DeviceType.CUDA, 0)]
    [InlineData("cuda:1", 2, DeviceType.CUDA, 1)]
    public void A_name_or_else_the_first_GPU_or_else_the_CPU(string? name, int gpus, DeviceType type, int index)
    {
        var device = ComputeDevice.Choose(name, gpus);
        Assert.Equal((type, index), (device.type, device.index));
    }

    [Theory]
    [InlineData("gpu", 1, "'gpu'; cpu, cuda and cuda:N are allowed")]
    [InlineData("cuda:", 1, "cpu, cuda and cuda:N are allowed")]
    [InlineData("cuda:-1", 1, "cpu, cuda and cuda:N are allowed")]
    [InlineData("cuda", 0, "finds no CUDA device")]
    [InlineData("cuda:2", 2, "cuda:0 to cuda:1 are allowed")]
    public void A_device_that_is_not_here_is_refused_with_what_is_allowed(string name, int gpus, string message)
    {
        var refused = Assert.Throws<NotSupportedException>(() => ComputeDevice.Choose(name, gpus)).Message;
        Assert.Contains("WORKBOOK_DEVICE", refused, StringComparison.Ordinal);
        Assert.Contains(message, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_of_the_drivers_tool_describes_a_GPU()
    {
        Assert.Equal(new Gpu("NVIDIA H100 80GB HBM3", "550.54.15", 81559L << 20, 81079L << 20), Gpu.Parse("NVIDIA H100 80GB HBM3, 550.54.15, 81559, 81079\n"));
        Assert.Null(Gpu.Parse("No devices were found"));
        Assert.Null(Gpu.Parse("a GPU, 1.2, [N/A], [N/A]"));
        Assert.Null(Gpu.Of(CPU));
    }

    [Fact]
    public void Waiting_for_the_CPU_is_nothing()
    {
        ComputeDevice.Synchronize(null);
        ComputeDevice.Synchronize(CPU);
    }
}
