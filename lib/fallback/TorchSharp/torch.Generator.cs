namespace TorchSharp;

public static partial class torch
{
    public class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null)
        {
            this.device = device ?? CPU;
            _handle = Libtorch.torch_generator((int)this.device.type, this.device.index);
            if (_handle == 0) throw Libtorch.Error();
            manual_seed((long)seed);
        }

        private Generator(nint handle) => (this._handle, device) = (handle, CPU);

        public static Generator Default => new(Libtorch.torch_default_generator());

        public IntPtr Handle => _handle;
        public Device device { get; }

        public Generator manual_seed(long seed)
        {
            Libtorch.Check(Libtorch.torch_generator_seed(_handle, seed));
            return this;
        }

        public long seed()
        {
            long seed = DateTime.UtcNow.Ticks;
            manual_seed(seed);
            return seed;
        }

        public long initial_seed() => Libtorch.torch_generator_initial_seed(_handle);

        public Tensor get_state() => Libtorch.Wrap(Libtorch.torch_generator_state(_handle));

        public void set_state(Tensor value) => Libtorch.Check(Libtorch.torch_generator_set_state(_handle, value.Handle));

        protected virtual void Dispose(bool disposing)
        {
            if (_handle == 0) return;
            Libtorch.torch_free_generator(_handle);
            _handle = 0;
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        ~Generator() => Dispose(false);
    }

    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    public static class random
    {
        public static Generator manual_seed(long seed)
        {
            Libtorch.Check(Libtorch.torch_manual_seed(seed));
            return Generator.Default;
        }

        public static long initial_seed() => Generator.Default.initial_seed();

        public static Tensor get_rng_state()
        {
            using var generator = Generator.Default;
            return generator.get_state();
        }

        public static void set_rng_state(Tensor new_state)
        {
            using var generator = Generator.Default;
            generator.set_state(new_state);
        }
    }

    public static Tensor get_rng_state() => random.get_rng_state();

    public static void set_rng_state(Tensor new_state) => random.set_rng_state(new_state);
}
