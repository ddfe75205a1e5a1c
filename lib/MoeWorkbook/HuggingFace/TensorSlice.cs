using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A published tensor, or some of its rows, as a view of one of our parameters: what is copied into the view on loading, and out of it on
/// saving.</summary>
/// <param name="Name">The published name.</param>
/// <param name="Shape">The published shape.</param>
/// <param name="View">From our parameter to the view whose elements, in row-major order, are the published ones.</param>
/// <param name="FirstRow">Where in the published tensor's first dimension the view's elements begin; it may hold more than they.</param>
internal sealed record TensorSlice(string Name, long[] Shape, Func<Tensor, Tensor> View, long FirstRow = 0);
