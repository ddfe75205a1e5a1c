using static TorchSharp.torch;

namespace MoeWorkbook.Tests;

/// <summary>A test with data that needs a GPU; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CudaTheoryAttribute : TheoryAttribute
{
    public CudaTheoryAttribute()
    {
        if (!cuda.is_available()) Skip = CudaFactAttribute.Reason;
    }
}
