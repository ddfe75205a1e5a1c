namespace MoeWorkbook;

/// <summary>A form in which published files hold parameters, such as one tensor for each expert.</summary>
/// <param name="config">The model.</param>
/// <param name="name">The parameter's published name.</param>
/// <param name="shape">Its shape here.</param>
/// <returns>The tensors that make it up; null where the form is for other parameters.</returns>
internal delegate IEnumerable<TensorSlice>? TensorForm(ModelConfig config, string name, long[] shape);
