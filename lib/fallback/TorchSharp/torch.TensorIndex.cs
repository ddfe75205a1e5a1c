namespace TorchSharp;

public static partial class torch
{
    /// <summary>One position inside <c>tensor[…]</c>: a number, a slice, a new axis, an ellipsis, a truth value or a tensor of indices.</summary>
    public readonly struct TensorIndex
    {
        internal enum Kind { Null, Ellipsis, Bool, Single, Slice, Tensor }

        internal readonly Kind kind;
        internal readonly long? start, stop, step;
        internal readonly Tensor? tensor;

        private TensorIndex(Kind kind, long? start = null, long? stop = null, long? step = null, Tensor? tensor = null) =>
            (this.kind, this.start, this.stop, this.step, this.tensor) = (kind, start, stop, step, tensor);

        public static TensorIndex Null => new(Kind.Null);
        public static TensorIndex None => new(Kind.Null);
        public static TensorIndex Ellipsis => new(Kind.Ellipsis);
        public static TensorIndex Colon => Slice();

        public static TensorIndex Bool(bool value) => new(Kind.Bool, value ? 1 : 0);

        public static TensorIndex Single(long? index) => new(Kind.Single, index);

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new(Kind.Slice, start, stop, step);

        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.start, range.end);

        public static TensorIndex Slice(Range range) => Slice(
            range.Start.IsFromEnd ? -range.Start.Value : range.Start.Value,
            !range.End.IsFromEnd ? range.End.Value : range.End.Value == 0 ? null : -range.End.Value);

        public static TensorIndex Tensor(Tensor tensor) => new(Kind.Tensor, tensor: tensor);

        public static implicit operator TensorIndex(long value) => Single(value);
        public static implicit operator TensorIndex(Index index) => Single(index.IsFromEnd ? -index.Value : index.Value);
        public static implicit operator TensorIndex(Range range) => Slice(range);
        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);
    }
}
