using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Checks of tensors at the door of every public layer, router, runner and loss. They come before the native call because a shape error inside the
/// native matmul ends the process.</summary>
internal static class Expect
{
    /// <summary>Requires a shape; a negative size stands for any, and is shown by its name.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="argument">Its name in the caller's signature.</param>
    /// <param name="dimensions">Name and size of each dimension; a size below zero allows any.</param>
    public static void Shape(Tensor tensor, string argument, params (string Name, long Size)[] dimensions)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        var shape = tensor.shape;
        var fits = shape.Length == dimensions.Length;
        for (var i = 0; fits && i < shape.Length; i++) fits = dimensions[i].Size < 0 || shape[i] == dimensions[i].Size;
        if (!fits) throw new ArgumentException($"{argument} has shape {Text(shape)} but {Text(dimensions)} is needed.", argument);
    }

    /// <summary>Requires <c>[…, size]</c>.</summary>
    public static void LastDimension(Tensor tensor, string argument, string name, long size)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        var shape = tensor.shape;
        if (shape.Length == 0 || shape[^1] != size)
            throw new ArgumentException($"{argument} has shape {Text(shape)} but […, {name} = {size}] is needed.", argument);
    }

    /// <summary>Requires two tensors to have the same shape.</summary>
    public static void SameShape(Tensor tensor, string argument, Tensor other, string otherArgument)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        ArgumentNullException.ThrowIfNull(other, otherArgument);
        if (!tensor.shape.AsSpan().SequenceEqual(other.shape))
            throw new ArgumentException($"{argument} has shape {Text(tensor.shape)} but {otherArgument} has shape {Text(other.shape)}: they must be equal.", argument);
    }

    /// <summary>Requires a tensor on the device, and of the type, of another: usually a layer's weights.</summary>
    public static void Like(Tensor tensor, string argument, Tensor other, string otherArgument = "the weight")
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        SameDevice(tensor, argument, other, otherArgument);
        if (tensor.dtype != other.dtype)
            throw new ArgumentException($"{argument} {Text(tensor.shape)} is {tensor.dtype} but {otherArgument} {Text(other.shape)} is {other.dtype}: convert one of them with to(…).", argument);
    }

    /// <summary>Requires two tensors to lie on one device.</summary>
    public static void SameDevice(Tensor tensor, string argument, Tensor other, string otherArgument)
    {
        var type = tensor.device_type;
        if (type != other.device_type || (type != TorchSharp.DeviceType.CPU && tensor.device_index != other.device_index))
            throw new ArgumentException($"{argument} {Text(tensor.shape)} is on {tensor.device} but {otherArgument} {Text(other.shape)} is on {other.device}: move one of them with to(…).", argument);
    }

    /// <summary>Requires a floating-point tensor.</summary>
    public static void Floating(Tensor tensor, string argument)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        if (!tensor.is_floating_point())
            throw new ArgumentException($"{argument} {Text(tensor.shape)} is {tensor.dtype}; a floating-point type is needed.", argument);
    }

    /// <summary>Requires 64-bit integers.</summary>
    public static void Integers(Tensor tensor, string argument)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        if (tensor.dtype != ScalarType.Int64)
            throw new ArgumentException($"{argument} {Text(tensor.shape)} is {tensor.dtype}; Int64 is needed.", argument);
    }

    /// <summary>Requires booleans.</summary>
    public static void Booleans(Tensor tensor, string argument)
    {
        ArgumentNullException.ThrowIfNull(tensor, argument);
        if (tensor.dtype != ScalarType.Bool)
            throw new ArgumentException($"{argument} {Text(tensor.shape)} is {tensor.dtype}; Bool is needed.", argument);
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";

    private static string Text((string Name, long Size)[] dimensions) =>
        $"[{string.Join(", ", dimensions.Select(dimension => dimension.Size < 0 ? dimension.Name : $"{dimension.Name} = {dimension.Size}"))}]";
}
