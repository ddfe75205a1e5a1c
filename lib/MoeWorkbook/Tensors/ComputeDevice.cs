using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The device to compute on: a GPU where there is one.</summary>
public static class ComputeDevice
{
    /// <summary>The environment variable that names the device: <c>cpu</c>, <c>cuda</c> (the first GPU) or <c>cuda:N</c>, N from 0.</summary>
    public const string Variable = "WORKBOOK_DEVICE";

    /// <summary>The device that <see cref="Variable"/> names; where it is not set the first GPU, or the CPU where there is none.</summary>
    /// <exception cref="NotSupportedException">The variable names no device that is here; the message says what is allowed.</exception>
    public static Device Current => Choose(Environment.GetEnvironmentVariable(Variable), cuda.is_available() ? cuda.device_count() : 0);

    /// <summary>The device of a name, on a machine with so many GPUs.</summary>
    internal static Device Choose(string? name, int gpus)
    {
        name = name?.Trim();
        if (string.IsNullOrEmpty(name)) return gpus > 0 ? new Device(DeviceType.CUDA, 0) : CPU;
        if (name == "cpu") return CPU;
        var index = 0;
        if (name != "cuda"
            && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), System.Globalization.NumberStyles.None, null, out index)))
            throw new NotSupportedException($"{Variable} is '{name}'; cpu, cuda and cuda:N are allowed, N from 0.");
        if (gpus == 0) throw new NotSupportedException($"{Variable} is '{name}', but libtorch finds no CUDA device: it needs an NVIDIA GPU with its driver, and a libtorch that was built for CUDA (see README, \"Packages\").");
        if (index >= gpus) throw new NotSupportedException($"{Variable} is '{name}', but there are {gpus} CUDA devices: cuda:0 to cuda:{gpus - 1} are allowed.");
        return new Device(DeviceType.CUDA, index);
    }

    /// <summary>Waits until a device has done all its work. A GPU is handed work and does it later, so a clock must be read after this; the CPU has done its
    /// work already.</summary>
    /// <param name="device">The device; null for the CPU.</param>
    public static void Synchronize(Device? device)
    {
        if (device?.type == DeviceType.CUDA) cuda.synchronize(device);
    }
}
