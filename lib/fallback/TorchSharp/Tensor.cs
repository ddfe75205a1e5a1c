using System.Runtime.CompilerServices;
using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A handle of a libtorch tensor. Freed by <see cref="Dispose()"/>, by its dispose scope, or at last by the garbage collector.</summary>
    public partial class Tensor : IDisposable
    {
        private static long _live, _peak;

        private nint _handle;

        internal Tensor(nint handle)
        {
            this._handle = handle;
            long count = Interlocked.Increment(ref _live);
            if (count > _peak) _peak = count;
            Scope = DisposeScopeManager.Current.Created(this);
        }

        /// <summary>Takes over <paramref name="source"/>, which is invalid afterwards, with its place in a dispose scope.</summary>
        private protected Tensor(Tensor source)
        {
            _handle = source.Handle;
            source._handle = 0;
            Scope = source.Scope;
            Scope?.Replace(source, this);
            source.Scope = null;
        }

        ~Tensor() => Dispose(false);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            nint freed = Interlocked.Exchange(ref _handle, 0);
            if (freed == 0) return;
            if (disposing)
            {
                DisposeScopeManager.Current.Disposed(this);
                Scope?.MarkAsDisposed(this);
            }
            Interlocked.Decrement(ref _live);
            torch_free(freed);
        }

        public IntPtr Handle => _handle != 0 ? _handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        public bool IsInvalid => _handle == 0;

        public static long TotalCount => Interlocked.Read(ref _live);

        public static long PeakCount => Interlocked.Read(ref _peak);

        internal DisposeScope? Scope { get; set; }

        public Tensor MoveToOuterDisposeScope()
        {
            Scope?.MoveToOuter<Tensor>(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            Scope?.Detach<Tensor>(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.Scope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (Scope is not null) Scope.MoveToOther<Tensor>(other, this);
            else other?.Attach(this);
            return this;
        }

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

        // ---- shape, type, place ----

        public long Dimensions => torch_dim(Handle);
        public long ndim => Dimensions;
        public long NumberOfElements => torch_numel(Handle);
        public long ElementSize => dtype.ElementSize();

        public long dim() => Dimensions;

        public long numel() => NumberOfElements;

        public long element_size() => ElementSize;

        public long[] shape => size();

        public unsafe long[] size()
        {
            var sizes = new long[Dimensions];
            fixed (long* p = sizes) torch_sizes(Handle, p);
            return sizes;
        }

        public long size(int dim) => size()[Axis(dim)];

        public unsafe long[] stride()
        {
            var strides = new long[Dimensions];
            fixed (long* p = strides) torch_strides(Handle, p);
            return strides;
        }

        public long stride(int dim) => stride()[Axis(dim)];

        private long Axis(long dim) =>
            dim >= -ndim && dim < ndim ? (dim + ndim) % ndim : throw new System.Runtime.InteropServices.ExternalException($"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})");

        public long storage_offset() => torch_storage_offset(Handle);

        public bool is_contiguous() => torch_is_contiguous(Handle);

        public ScalarType dtype => (ScalarType)torch_dtype(Handle);

        public Device device => new(device_type, device_type == DeviceType.CPU ? -1 : device_index);

        public DeviceType device_type => (DeviceType)torch_device_type(Handle);

        public int device_index => torch_device_index(Handle);

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_sparse => torch_is_sparse(Handle);

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        // ---- autograd ----

        public bool requires_grad
        {
            get => torch_requires_grad(Handle);
            set => Check(torch_set_requires_grad(Handle, value));
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public bool is_leaf => torch_is_leaf(Handle);

        public void retain_grad() => Check(torch_retain_grad(Handle));

        public Tensor? grad
        {
            get => torch_grad(Handle) is var g && g != 0 ? new Tensor(g) : null;
            set => Check(torch_set_grad(Handle, value is null ? 0 : value.Handle));
        }

        public void backward() => autograd.backward([this]);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        public Tensor detach() => Call("detach", this);

        public Tensor detach_() => InPlace("detach_", this);
    }
}
