using System.Collections;

namespace TorchSharp;

public static partial class torch
{
    public readonly struct Size : IEnumerable<long>, IEquatable<Size>
    {
        private readonly long[] _shape;

        public Size(long[] shape) => this._shape = [.. shape];
        public Size(IEnumerable<long> shape) => this._shape = [.. shape];
        public Size(long size) => _shape = [size];

        public static Size Empty => new(Array.Empty<long>());

        public long[] Shape => _shape;
        public int Length => _shape.Length;
        public bool IsEmpty => _shape.Length == 0;
        public bool IsScalar => _shape.Length == 0;
        public long this[int idx] => _shape[idx];
        public long this[long idx] => _shape[idx];

        public Size Slice(int first, int next) => new(_shape[first..next]);

        public long numel() => _shape.Aggregate(1L, (product, size) => product * size);

        public IEnumerator<long> GetEnumerator() => _shape.AsEnumerable().GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public static implicit operator Size(long size) => new(size);
        public static implicit operator Size(long[] size) => new(size);
        public static implicit operator Size((long, long) size) => new([size.Item1, size.Item2]);
        public static implicit operator Size((long, long, long) size) => new([size.Item1, size.Item2, size.Item3]);
        public static implicit operator Size((long, long, long, long) size) => new([size.Item1, size.Item2, size.Item3, size.Item4]);

        public static bool operator ==(Size left, Size right) => left.Equals(right);
        public static bool operator !=(Size left, Size right) => !left.Equals(right);
        public static Size operator +(Size left, Size right) => new(left._shape.Concat(right._shape));

        public bool Equals(Size other) => _shape.SequenceEqual(other._shape);

        public override bool Equals(object? obj) => obj is Size other && Equals(other);

        public override int GetHashCode() => _shape.Aggregate(17, HashCode.Combine);

        public override string ToString() => $"[{string.Join(", ", _shape)}]";
    }
}
