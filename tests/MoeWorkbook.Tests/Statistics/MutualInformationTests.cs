namespace MoeWorkbook.Tests.Statistics;

public sealed class MutualInformationTests
{
    // Twice each of four combinations: the second label repeats the first, or does not care.
    private static readonly int[] _x = [0, 0, 1, 1, 0, 0, 1, 1];
    private static readonly int[] _independent = [0, 1, 0, 1, 0, 1, 0, 1];

    [Fact]
    public void The_entropy_of_two_equally_frequent_labels_is_ln_2_and_the_correction_of_Miller_and_Madow()
    {
        Assert.Equal(Math.Log(2) + 1 / 16.0, MutualInformation.Entropy(_x), 12);
        Assert.Equal(0, MutualInformation.Entropy([3, 3, 3]), 12);
    }

    [Fact]
    public void A_label_tells_all_about_itself_and_nothing_about_an_independent_one()
    {
        Assert.Equal(MutualInformation.Entropy(_x), MutualInformation.Between(_x, _x), 12);
        // H(x) + H(y) − H(x, y), corrected by (1 + 1 − 3) / 16.
        Assert.Equal(-1 / 16.0, MutualInformation.Between(_x, _independent), 12);
    }

    [Fact]
    public void What_the_byte_tells_already_does_not_count()
    {
        // Here y = z = x: y tells all about x, but nothing beyond z. Correction: (2 + 2 − 2 − 2) / 16.
        Assert.Equal(0, MutualInformation.Between(_x, _x, _x), 12);
        Assert.Equal(0, MutualInformation.Entropy(_x, _x), 12);
    }

    [Fact]
    public void Two_labels_can_tell_together_what_neither_tells_alone()
    {
        int[] xor = [.. _x.Zip(_independent, (x, z) => x ^ z)];
        Assert.Equal(-1 / 16.0, MutualInformation.Between(_x, xor), 12);
        // I(x; y | z) = ln 2; correction (4 + 4 − 4 − 2) / 16.
        Assert.Equal(Math.Log(2) + 2 / 16.0, MutualInformation.Between(_x, xor, _independent), 12);
    }

    [Fact]
    public void Weights_count_like_repeated_tokens()
    {
        int[] repeatedX = [0, 0, 0, 1, 1], repeatedY = [0, 0, 0, 0, 1], repeatedZ = [0, 0, 0, 1, 1];
        var weighted = MutualInformation.Of([0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 1, 0], [3, 1, 1, 0]);
        Assert.Equal(MutualInformation.Between(repeatedX, repeatedY, repeatedZ), weighted.Information, 12);
    }

    [Fact]
    public void Labels_that_do_not_fit_are_refused()
    {
        Assert.Contains("no token", Assert.Throws<ArgumentException>(() => MutualInformation.Entropy([])).Message, StringComparison.Ordinal);
        Assert.Contains("2 labels for 8 tokens", Assert.Throws<ArgumentException>(() => MutualInformation.Between(_x, [0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("label -1", Assert.Throws<ArgumentException>(() => MutualInformation.Entropy([-1, 0])).Message, StringComparison.Ordinal);
    }
}
