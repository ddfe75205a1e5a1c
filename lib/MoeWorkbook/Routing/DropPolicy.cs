namespace MoeWorkbook;

/// <summary>Which assignments an expert keeps when more come than it has room for.</summary>
public enum DropPolicy
{
    /// <summary>The first in the batch, all tokens' first choices before any second choice (GShard; Lepikhin et al. 2020). The batch's last tokens
    /// lose.</summary>
    Position,

    /// <summary>Those of the tokens with the largest combine weight, first choices before second ones (batch-prioritised routing; Riquelme et al.
    /// 2021).</summary>
    BatchPrioritized,

    /// <summary>A random selection.</summary>
    Random,
}
