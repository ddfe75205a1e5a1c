namespace MoeWorkbook;

/// <summary>What one call of the fused experts works on: addresses and sizes, already checked.</summary>
internal unsafe struct ExpertKernelCall
{
    public WeightRows GateUp, Down;
    public int HiddenSize, IntermediateSize, ExpertCount;

    /// <summary>Hidden states and output, <c>[tokens, hidden]</c>, in bfloat16 or float32.</summary>
    public byte* Hidden, Output;
    public bool BFloat16;
    public int TokenCount;

    /// <summary>The routing decision, each <c>[assignments]</c>.</summary>
    public long* Tokens, Experts;
    public float* Weights;
    public bool* Kept;
    public int AssignmentCount;

    public int Threads;
}
