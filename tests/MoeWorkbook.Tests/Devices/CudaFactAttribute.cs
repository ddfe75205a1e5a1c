using static TorchSharp.torch;

namespace MoeWorkbook.Tests;

/// <summary>A test that needs a GPU; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CudaFactAttribute : FactAttribute
{
    internal const string Reason = "no CUDA device here: libtorch finds none";

    public CudaFactAttribute()
    {
        if (!cuda.is_available()) Skip = Reason;
    }
}
