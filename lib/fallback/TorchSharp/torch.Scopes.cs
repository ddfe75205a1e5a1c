namespace TorchSharp;

public static partial class torch
{
    public static DisposeScope NewDisposeScope() => DisposeScopeManager.Current.Open();

    public static DisposeScope? CurrentDisposeScope => DisposeScopeManager.Current.Innermost;

    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }

    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    public static bool is_grad_enabled() => Libtorch.torch_grad_mode();

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    public static bool is_inference_mode_enabled() => Libtorch.torch_is_inference_mode();

    /// <summary>Records, or does not record, operations for autograd on this thread until disposed.</summary>
    private sealed class GradMode : IDisposable
    {
        private readonly bool _before = Libtorch.torch_grad_mode();

        internal GradMode(bool on) => Libtorch.torch_set_grad_mode(on);

        public void Dispose() => Libtorch.torch_set_grad_mode(_before);
    }

    private sealed class InferenceMode(bool on) : IDisposable
    {
        private nint _guard = Libtorch.torch_enter_inference_mode(on);

        public void Dispose()
        {
            if (_guard != 0) Libtorch.torch_leave_inference_mode(_guard);
            _guard = 0;
        }
    }
}
