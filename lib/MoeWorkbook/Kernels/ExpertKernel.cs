using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>The SwiGLU experts of one batch, computed from the bytes of their weights, each read once.</summary>
/// <remarks>
/// Two pieces of parallel work, each over all chosen experts together, so that the cores meet twice a layer and not twice
/// an expert: first the intermediate activations SiLU(gate)·up of every assignment, then every row of the output, to which each
/// expert adds its share. (Before them each token's hidden state is laid out; for one token the caller does that alone.)
/// Where a decode step spends its time is in reading weights; all else is kept out of the way.
/// </remarks>
internal abstract unsafe class ExpertKernel
{
    /// <summary>Computes the experts. One caller at a time in the process: each call uses every core.</summary>
    public abstract void Run(in ExpertKernelCall call);

    /// <summary>intermediate ← gate · σ(gate) · up; intermediate may be gate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected static void SwiGlu(float* gate, float* up, float* intermediate, int count)
    {
        var i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var g = Vector256.Load(gate + i);
            (g / (Vector256<float>.One + Vector256.Exp(-g)) * Vector256.Load(up + i)).Store(intermediate + i);
        }

        for (; i < count; i++) intermediate[i] = gate[i] / (1 + MathF.Exp(-gate[i])) * up[i];
    }
}
