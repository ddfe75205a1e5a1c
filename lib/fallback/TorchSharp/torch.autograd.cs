using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    public static unsafe class autograd
    {
        public static void backward(IList<Tensor> tensors, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null)
        {
            nint[] outputs = Handles(tensors), grads = Handles(grad_tensors), wanted = Handles(inputs);
            fixed (nint* o = outputs, g = grads, w = wanted)
                Check(torch_backward(o, outputs.Length, g, grads.Length, retain_graph ?? create_graph, create_graph, w, wanted.Length));
            GC.KeepAlive((tensors, grad_tensors, inputs));
        }

        public static void backward(Tensor tensor, Tensor grad_tensor, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], [grad_tensor], retain_graph, create_graph, inputs);

        public static void backward(Tensor tensor, IList<Tensor>? grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor>? inputs = null) =>
            backward([tensor], grad_tensors, retain_graph, create_graph, inputs);

        public static IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            nint[] from = Handles(outputs), to = Handles(inputs), grads = Handles(grad_outputs);
            Value* results;
            long count;
            fixed (nint* f = from, t = to, g = grads)
                count = torch_autograd_grad(f, from.Length, t, to.Length, g, grads.Length, retain_graph, create_graph, allow_unused, &results);
            GC.KeepAlive((outputs, inputs, grad_outputs));
            return count >= 0 ? Tensors(results, count) : throw Error();
        }

        private static nint[] Handles(IList<Tensor>? tensors) => tensors is null ? [] : [.. tensors.Select(tensor => tensor.Handle)];
    }
}
