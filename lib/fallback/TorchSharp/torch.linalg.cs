using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    public static class linalg
    {
        public static Tensor vector_norm(Tensor input, double ord = 2, long[]? dims = null, bool keepdim = false) => Call("linalg_vector_norm", input, ord, dims, keepdim);

        public static Tensor norm(Tensor input, long[]? dims = null, bool keepdim = false) => Call("linalg_norm", input, Arg.None, dims, keepdim);

        public static Tensor norm(Tensor input, double ord, long[]? dims = null, bool keepdim = false) => Call("linalg_norm", input, ord, dims, keepdim);

        public static Tensor inv(Tensor input) => Call("linalg_inv", input);

        public static Tensor det(Tensor input) => Call("linalg_det", input);

        public static Tensor solve(Tensor A, Tensor B, bool left = true) => Call("linalg_solve", A, B, left);

        public static Tensor solve_triangular(Tensor A, Tensor B, bool upper, bool left = true, bool unitriangular = false) => Call("linalg_solve_triangular", A, B, upper, left, unitriangular);

        public static (Tensor Q, Tensor R) qr(Tensor input) => Call2("linalg_qr", input);

        public static (Tensor U, Tensor S, Tensor Vh) svd(Tensor input, bool fullMatrices = true) => Call3("linalg_svd", input, fullMatrices);
    }
}
