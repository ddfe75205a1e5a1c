using System.Collections;

namespace TorchSharp;

public static partial class torch
{
    public readonly struct Size : IEnumerable<long>, IEquatable<Size>
    {
        private readonly long[] shape;

        public Size(long[] shape) => this.shape = [.. shape];
        public Size(IEnumerable<long> shape) => this.shape = [.. shape];
        public Size(long size) => shape = [size];

        public static Size Empty => new(Array.Empty<long>());

        public long[] Shape => shape;
        public int Length => shape.Length;
        public bool IsEmpty => shape.Length == 0;
        public bool IsScalar => shape.Length == 0;
        public long this[int idx] => shape[idx];
        public long this[long idx] => shape[idx];

        public Size Slice(int first, int next) => new(shape[first..next]);

        public long numel() => shape.Aggregate(1L, (product, size) => product * size);

        public IEnumerator<long> GetEnumerator() => shape.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public static implicit operator Size(long size) => new(size);
        public static implicit operator Size(long[] size) => new(size);
        public static implicit operator Size((long, long) size) => new([size.Item1, size.Item2]);
        public static implicit operator Size((long, long, long) size) => new([size.Item1, size.Item2, size.Item3]);
        public static implicit operator Size((long, long, long, long) size) => new([size.Item1, size.Item2, size.Item3, size.Item4]);

        public static bool operator ==(Size left, Size right) => left.Equals(right);
        public static bool operator !=(Size left, Size right) => !left.Equals(right);
        public static Size operator +(Size left, Size right) => new(left.shape.Concat(right.shape));

        public bool Equals(Size other) => shape.SequenceEqual(other.shape);

        public override bool Equals(object? obj) => obj is Size other && Equals(other);

        public override int GetHashCode() => shape.Aggregate(17, HashCode.Combine);

        public override string ToString() => $"[{string.Join(", ", shape)}]";
    }
}
