using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static class utils
        {
            /// <summary>Scales all gradients so that their common norm is at most <paramref name="max_norm"/>; returns the norm before.</summary>
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2)
            {
                using var scope = NewDisposeScope();
                using var recording = no_grad();
                var grads = tensors.Select(parameter => parameter.grad).OfType<Tensor>().ToArray();
                if (grads.Length == 0) return 0;
                double total = linalg.vector_norm(stack(grads.Select(grad => linalg.vector_norm(grad, norm_type).to(grads[0].device))), norm_type).ToDouble();
                double scale = max_norm / (total + 1e-6);
                if (scale < 1)
                    foreach (var grad in grads) grad.mul_(scale);
                return total;
            }

            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using var scope = NewDisposeScope();
                using var recording = no_grad();
                foreach (var parameter in tensors) parameter.grad?.clamp_((Scalar)(-clip_value), (Scalar)clip_value);
            }
        }
    }
}
