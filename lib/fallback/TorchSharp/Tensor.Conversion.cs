using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor to(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            After(Call("to.dtype", this, type, non_blocking, copy), disposeAfter);

        public Tensor to(Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            After(Call("to.device", this, InitializeDevice(device), dtype, non_blocking, copy), disposeAfter);

        public Tensor to(ScalarType type, Device device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            After(Call("to.device", this, InitializeDevice(device), type, non_blocking, copy), disposeAfter);

        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false, bool disposeAfter = false, bool non_blocking = false) =>
            to(new Device(deviceType, deviceIndex), copy, disposeAfter, non_blocking);

        public Tensor to(string device, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to(new Device(device), copy, disposeAfter, non_blocking);

        public Tensor to(Tensor other, bool non_blocking = false) => to(other.dtype, other.device, non_blocking: non_blocking);

        public Tensor to_type(ScalarType type, bool copy = false, bool disposeAfter = false, bool non_blocking = false) => to(type, copy, disposeAfter, non_blocking);

        public Tensor type_as(Tensor tensor) => to(tensor.dtype);

        public Tensor type(ScalarType dtype) => to(dtype);

        public Tensor cpu() => to(CPU);

        public Tensor cuda(Device? device = null, bool non_blocking = false) => to(device ?? CUDA, non_blocking: non_blocking);

        public Tensor @bool() => to(ScalarType.Bool);
        public Tensor @byte() => to(ScalarType.Byte);
        public Tensor @char() => to(ScalarType.Int8);
        public Tensor @short() => to(ScalarType.Int16);
        public Tensor @int() => to(ScalarType.Int32);
        public Tensor @long() => to(ScalarType.Int64);
        public Tensor half() => to(ScalarType.Float16);
        public Tensor bfloat16() => to(ScalarType.BFloat16);
        public Tensor @float() => to(ScalarType.Float32);
        public Tensor @double() => to(ScalarType.Float64);

        private Tensor After(Tensor result, bool disposeThis)
        {
            if (disposeThis) Dispose();
            return result;
        }

        // ---- to .NET values ----

        public Scalar ToScalar() => CallScalar("item", this);

        public T item<T>() where T : unmanaged =>
            NumberOfElements == 1 ? data<T>()[0] : throw new ArgumentException($"item() needs a tensor of one element; this one has {NumberOfElements}.");

        public Utils.TensorAccessor<T> data<T>() where T : unmanaged
        {
            RequireType(typeof(T));
            return new Utils.TensorAccessor<T>(this);
        }

        public unsafe Span<byte> bytes
        {
            get
            {
                long size = NumberOfElements * ElementSize;
                RequireBytes();
                if (size > int.MaxValue) throw new ArgumentException("Span only supports up to int.MaxValue elements.");
                return new Span<byte>((void*)Pointer, (int)size);
            }
            set
            {
                RequireBytes();
                if (NumberOfElements * ElementSize != value.Length) throw new ArgumentException("Mismatched data sizes in SetBytes().");
                value.CopyTo(new Span<byte>((void*)Pointer, value.Length));
            }
        }

        public unsafe void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            RequireBytes();
            using var memory = new UnmanagedMemoryStream((byte*)Pointer, NumberOfElements * ElementSize);
            memory.CopyTo(stream, Math.Max(bufferSize, 1 << 16));
        }

        public unsafe void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            RequireBytes();
            long left = NumberOfElements * ElementSize;
            for (var p = (byte*)Pointer; left > 0;)
            {
                int part = (int)Math.Min(left, 1 << 20);
                stream.ReadExactly(new Span<byte>(p, part));
                p += part;
                left -= part;
            }
        }

        /// <summary>Where the first element lies.</summary>
        internal nint Pointer => torch_data(Handle) is var p && (p != 0 || NumberOfElements == 0) ? p : throw Error();

        private void RequireBytes()
        {
            if (!is_contiguous()) throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
            if (device_type != DeviceType.CPU) throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        }

        private void RequireType(Type type)
        {
            if (TypeOf(type) != dtype) throw new ArgumentException($"{type.Name} is not compatible with {dtype}");
        }
    }
}
