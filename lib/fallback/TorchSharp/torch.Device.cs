using System.Runtime.InteropServices;

namespace TorchSharp;

public static partial class torch
{
    public sealed class Device
    {
        public Device(DeviceType deviceType, int index = -1) => (type, this.index) = (deviceType, index);

        public Device(string deviceType, int index = -1) : this(Enum.Parse<DeviceType>(deviceType, ignoreCase: true), index) { }

        public Device(string description) : this(description.Split(':')[0], description.Contains(':') ? int.Parse(description.Split(':')[1]) : -1) { }

        public Device(int index) : this(DeviceType.CUDA, index) { }

        public DeviceType type { get; }
        public int index { get; }

        public override string ToString() => type == DeviceType.CPU || index == -1 ? $"{type}".ToLowerInvariant() : $"{type}:{index}".ToLowerInvariant();

        public static implicit operator Device(string description) => new(description);
    }

    public static readonly Device CPU = new(DeviceType.CPU);
    public static readonly Device META = new(DeviceType.META);
    public static Device CUDA => new(DeviceType.CUDA);

    public static Device device(string description) => new(description);

    public static Device device(string deviceType, int index = -1) => new(deviceType, index);

    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);

    public static Device device(int index) => new(index);

    private static Device _defaultDevice = CPU;

    public static Device get_default_device() => _defaultDevice;

    public static void set_default_device(Device device) => _defaultDevice = device;

    public static void set_default_device(string device) => _defaultDevice = new Device(device);

    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (deviceType == DeviceType.CUDA && !cuda.is_available()) throw new InvalidOperationException("Torch device type CUDA did not initialise on the current machine.");
    }

    public static bool TryInitializeDeviceType(DeviceType deviceType) => deviceType != DeviceType.CUDA || cuda.is_available();

    public static Device InitializeDevice(Device? device)
    {
        device ??= _defaultDevice;
        InitializeDeviceType(device.type);
        return device;
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static class cuda
    {
        public static bool is_available() => Libtorch.torch_cuda_devices() > 0;

        public static int device_count() => Libtorch.torch_cuda_devices();

        public static void manual_seed(long seed) => Libtorch.Check(Libtorch.torch_manual_seed(seed));

        public static void manual_seed_all(long seed) => Libtorch.Check(Libtorch.torch_manual_seed(seed));

        public static void synchronize(Device? device = null) => Libtorch.Check(Libtorch.torch_synchronize(Math.Max(0, device?.index ?? 0)));
    }

    public static string __version__ => Marshal.PtrToStringUTF8(Libtorch.torch_version())!;

    public static int get_num_threads() => Libtorch.torch_threads();

    public static void set_num_threads(int num) => Libtorch.torch_set_threads(num);

    public static int get_num_interop_threads() => Libtorch.torch_interop_threads();

    public static void set_num_interop_threads(int num) => Libtorch.Check(Libtorch.torch_set_interop_threads(num));
}
