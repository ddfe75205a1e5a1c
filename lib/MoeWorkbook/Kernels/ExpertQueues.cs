namespace MoeWorkbook;

/// <summary>The kept assignments of a call, expert after expert. Kept from call to call, so that a call allocates nothing once the largest has been
/// seen.</summary>
internal sealed unsafe class ExpertQueues
{
    private int[] _next = [];

    /// <summary>The token of each kept assignment.</summary>
    public int[] Tokens { get; private set; } = [];

    /// <summary>The combine weight of each kept assignment.</summary>
    public float[] Weights { get; private set; } = [];

    /// <summary>The experts that have assignments: where they begin and how many there are. The first <see cref="TouchedCount"/> are valid.</summary>
    public (int Expert, int First, int Count)[] Touched { get; private set; } = [];

    /// <summary>How many experts have assignments.</summary>
    public int TouchedCount { get; private set; }

    /// <summary>Sorts by expert, in a stable order: every sum has its order whatever the number of threads.</summary>
    /// <returns>How many assignments are kept.</returns>
    public int Fill(in ExpertKernelCall call)
    {
        if (_next.Length < call.ExpertCount) (_next, Touched) = (new int[call.ExpertCount], new (int, int, int)[call.ExpertCount]);
        if (Tokens.Length < call.AssignmentCount) (Tokens, Weights) = (new int[call.AssignmentCount], new float[call.AssignmentCount]);
        Array.Clear(_next);
        for (var i = 0; i < call.AssignmentCount; i++)
        {
            var (token, expert) = (call.Tokens[i], call.Experts[i]);
            if ((ulong)token >= (ulong)call.TokenCount || (ulong)expert >= (ulong)call.ExpertCount)
                throw new ArgumentException($"Assignment {i} gives token {token} to expert {expert}, but there are {call.TokenCount} tokens and {call.ExpertCount} experts.");
            if (call.Kept[i]) _next[expert]++;
        }

        var kept = 0;
        TouchedCount = 0;
        for (var e = 0; e < call.ExpertCount; e++)
        {
            var count = _next[e];
            if (count > 0) Touched[TouchedCount++] = (e, kept, count);
            _next[e] = kept;
            kept += count;
        }

        for (var i = 0; i < call.AssignmentCount; i++)
        {
            if (!call.Kept[i]) continue;
            var place = _next[call.Experts[i]]++;
            (Tokens[place], Weights[place]) = ((int)call.Tokens[i], call.Weights[i]);
        }

        return kept;
    }
}
