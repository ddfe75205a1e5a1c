using MathNet.Numerics.LinearAlgebra;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The rows of a router in the plane in which they differ most, from the singular value decomposition W − mean = U·S·Vᵀ.</summary>
/// <remarks>What all rows share shifts every logit alike and changes no choice of a softmax; so their mean is taken off first.</remarks>
public sealed class RouterDirections
{
    private readonly Matrix<double> _left;
    private readonly Vector<double> _singular;

    private RouterDirections(Matrix<double> left, Vector<double> singular, double variance)
    {
        (_left, _singular) = (left, singular);
        Experts = [.. Enumerable.Range(0, left.RowCount).Select(e => (left[e, 0] * singular[0], left[e, 1] * singular[1]))];
        Explained = (Share(singular[0]), Share(singular[1]));

        double Share(double value) => variance > 0 ? value * value / variance : 0;
    }

    /// <summary>The place of each expert: the first two columns of U·S.</summary>
    public IReadOnlyList<(double X, double Y)> Experts { get; }

    /// <summary>The share of the rows' variance along each of the two axes, from 0 to 1.</summary>
    public (double X, double Y) Explained { get; }

    /// <summary>The directions of a router.</summary>
    /// <param name="router">A router of at least three experts.</param>
    /// <exception cref="ArgumentException">It has fewer than three experts, or a hidden size below two.</exception>
    public static RouterDirections Of(LinearRouter router)
    {
        ArgumentNullException.ThrowIfNull(router);
        return Of(router.Weight);
    }

    /// <summary>The directions of a router's weight.</summary>
    /// <param name="weight">One row for each expert, <c>[experts, hidden]</c>; at least three rows and two columns.</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public static RouterDirections Of(Tensor weight)
    {
        Expect.Shape(weight, nameof(weight), ("experts", -1), ("hidden", -1));
        if (weight.shape[0] < 3 || weight.shape[1] < 2) throw new ArgumentException($"weight has shape [{weight.shape[0]}, {weight.shape[1]}]; at least three experts and a hidden size of two are needed.", nameof(weight));
        using var scope = NewDisposeScope();
        var rows = weight.detach().to(ScalarType.Float64).cpu();
        rows = (rows - rows.mean([0L], keepdim: true)).contiguous(); // [experts, hidden]
        var matrix = Matrix<double>.Build.DenseOfRowMajor((int)rows.shape[0], (int)rows.shape[1], rows.data<double>().ToArray());
        var svd = matrix.Svd();
        var left = svd.U.SubMatrix(0, matrix.RowCount, 0, 2);
        // The sign of an axis is free: the longest entry is made positive, so that a picture does not flip from machine to machine.
        for (var axis = 0; axis < 2; axis++)
        {
            var column = left.Column(axis);
            left.SetColumn(axis, column * Math.Sign(column[column.AbsoluteMaximumIndex()]));
        }

        return new(left, svd.S.SubVector(0, 2), svd.S.DotProduct(svd.S));
    }

    /// <summary>The place of a hidden state, from the logits that it gets: its coordinates along the two axes. Its scalar product with an expert's place is
    /// that expert's logit above the mean, as far as the plane explains it.</summary>
    /// <param name="logits">One logit for each expert, such as the mean over the tokens of a domain.</param>
    /// <exception cref="ArgumentException">There is not one logit for each expert.</exception>
    public (double X, double Y) PlaceOf(IReadOnlyList<double> logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        if (logits.Count != Experts.Count) throw new ArgumentException($"There are {logits.Count} logits for {Experts.Count} experts.", nameof(logits));
        // U's columns are orthogonal to a constant, so the mean of the logits drops out.
        var place = _left.TransposeThisAndMultiply(Vector<double>.Build.DenseOfEnumerable(logits));
        return (Along(0), Along(1));

        double Along(int axis) => _singular[axis] > 0 ? place[axis] / _singular[axis] : 0;
    }
}
