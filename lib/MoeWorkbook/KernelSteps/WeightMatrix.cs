namespace MoeWorkbook;

/// <summary>A matrix and one way to multiply it by a vector, y = W·x: a step of chapter 11 on the way from a loop to a kernel.</summary>
/// <remarks>The steps are for reading: each is one short method on ordinary arrays. What the library runs is <see cref="FusedExperts"/>.</remarks>
public abstract class WeightMatrix
{
    // Enough rows that handing out a block costs nothing beside computing it, few enough that the last core waits little.
    private const int BlockRows = 64;

    // What the widest step takes at a time: no step then has a remainder to care for.
    private const int ColumnsAtATime = 64;

    /// <summary>A matrix of the given shape.</summary>
    /// <param name="rows">Number of rows, the length of y; a multiple of 4.</param>
    /// <param name="columns">Number of columns, the length of x; a multiple of 64.</param>
    /// <param name="weights">How many weights there are, for the check.</param>
    /// <exception cref="ArgumentException">A size is not such a multiple, or there are not rows · columns weights.</exception>
    private protected WeightMatrix(int rows, int columns, int weights)
    {
        if (rows <= 0 || rows % 4 != 0) throw new ArgumentException($"The number of rows must be a positive multiple of 4; it is {rows}.", nameof(rows));
        if (columns <= 0 || columns % ColumnsAtATime != 0) throw new ArgumentException($"The number of columns must be a positive multiple of {ColumnsAtATime}; it is {columns}.", nameof(columns));
        if (weights != (long)rows * columns) throw new ArgumentException($"A matrix [{rows}, {columns}] has {(long)rows * columns:N0} weights; there are {weights:N0}.", nameof(weights));
        (Rows, Columns) = (rows, columns);
    }

    /// <summary>Number of rows, the length of y.</summary>
    public int Rows { get; }

    /// <summary>Number of columns, the length of x.</summary>
    public int Columns { get; }

    /// <summary>Bytes that one product reads: the weights and their scales.</summary>
    public abstract long Bytes { get; }

    /// <summary>Computes y = W·x.</summary>
    /// <param name="x">The vector, <c>[columns]</c>.</param>
    /// <param name="y">Where the product goes, <c>[rows]</c>.</param>
    /// <param name="cores">How many cores share the rows.</param>
    /// <exception cref="ArgumentException">A vector has another length.</exception>
    public void Multiply(float[] x, float[] y, int cores = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cores);
        if (x.Length != Columns) throw new ArgumentException($"x must have the matrix's {Columns} columns; it has {x.Length} values.", nameof(x));
        if (y.Length != Rows) throw new ArgumentException($"y must have the matrix's {Rows} rows; it has {y.Length} values.", nameof(y));
        if (cores == 1) MultiplyRows(x, y, 0, Rows);
        else Parallel.For(0, (Rows + BlockRows - 1) / BlockRows, new() { MaxDegreeOfParallelism = cores }, block =>
            MultiplyRows(x, y, block * BlockRows, Math.Min((block + 1) * BlockRows, Rows)));
    }

    /// <summary>Computes some of the rows.</summary>
    /// <remarks>Compiled at its best from the first call on: .NET begins with quick code and improves it while it runs, which a measurement would
    /// see.</remarks>
    private protected abstract void MultiplyRows(ReadOnlySpan<float> x, Span<float> y, int start, int end);
}
