using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Specialization;

public sealed class RouterDirectionsTests
{
    [Fact]
    public void Rows_in_a_plane_are_found_in_it_whatever_they_share()
    {
        // A square of side 2 in the first two coordinates, stretched along the first; the third is common to all rows.
        var weight = tensor(new[] { 3.0, 1, 7, 3, -1, 7, -3, 1, 7, -3, -1, 7 }, [4, 3]);
        var directions = RouterDirections.Of(weight);
        Assert.Equal((0.9, 0.1), (Math.Round(directions.Explained.X, 12), Math.Round(directions.Explained.Y, 12)));
        Assert.All(directions.Experts, place => Assert.Equal((3.0, 1.0), (Math.Round(Math.Abs(place.X), 12), Math.Round(Math.Abs(place.Y), 12))));
    }

    [Fact]
    public void A_hidden_state_lies_where_its_scalar_product_with_a_row_is_the_logit()
    {
        var weight = tensor(new[] { 3.0, 1, 7, 3, -1, 7, -3, 1, 7, -3, -1, 7 }, [4, 3]);
        double[] hidden = [0.5, -2, 10], logits = [.. Enumerable.Range(0, 4).Select(row => hidden.Select((h, i) => h * weight[row, i].item<double>()).Sum())];
        var directions = RouterDirections.Of(weight);
        var place = directions.PlaceOf(logits);
        Assert.All(directions.Experts.Index(),
            expert => Assert.Equal(logits[expert.Index] - logits.Average(), expert.Item.X * place.X + expert.Item.Y * place.Y, 9));
        Assert.Contains("2 logits for 4 experts", Assert.Throws<ArgumentException>(() => directions.PlaceOf([1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_experts_make_no_plane() =>
        Assert.Contains("[2, 3]", Assert.Throws<ArgumentException>(() => RouterDirections.Of(ones(2, 3))).Message, StringComparison.Ordinal);
}
