using System.Globalization;

namespace MoeWorkbook.Cli;

/// <summary>Token ids as a user types them.</summary>
internal static class TokenList
{
    /// <summary>Sequences of equal length, as in <c>1,2,3;4,5,6</c>.</summary>
    public static long[][] ParseBatch(string text)
    {
        long[][] batch = [.. text.Split(';', StringSplitOptions.TrimEntries).Select(Parse)];
        if (batch.Any(row => row.Length != batch[0].Length))
            throw new CommandException($"the sequences have {string.Join(", ", batch.Select(row => row.Length))} tokens; all must have the same number.");
        return batch;
    }

    /// <summary>One sequence, as in <c>1,2,3</c>.</summary>
    public static long[] Parse(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
        long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new CommandException($"'{part}' is no token id: write whole numbers from 0, such as 1,2,3."))];
}
