namespace MoeWorkbook;

/// <summary>Products of rows of weights with rows of activations, for one format of weights and one set of instructions.</summary>
/// <remarks>The unit is a tile: four rows of weights and one, two or four tokens. Each weight that is loaded meets every token of the tile in a register, and
/// each activation all four rows. The intermediate loops are compiled with full optimisation at once: the first token would otherwise run in the code of the
/// first tier, fifty times slower.</remarks>
internal unsafe interface IRowKernel
{
    /// <summary>Tokens of the widest tile whose sums fit in the registers: 2 or 4.</summary>
    static abstract int MaxTokens { get; }

    /// <summary>Columns are multiplied in multiples of so many; a row's last piece may be shorter.</summary>
    static abstract int Granule { get; }

    /// <summary>Bytes of a row of activations once laid out.</summary>
    static abstract long ActivationBytes(int columns);

    /// <summary>Lays a piece of a row of activations out as <see cref="Multiply"/> reads it.</summary>
    /// <param name="values">The whole row, in float32.</param>
    /// <param name="start">The first column of the piece, a multiple of <see cref="Granule"/>.</param>
    /// <param name="end">The column after the piece, a multiple of <see cref="Granule"/> or the row's end.</param>
    /// <param name="columns">Length of the row.</param>
    /// <param name="row">The whole row as it is laid out.</param>
    static abstract void Prepare(float* values, int start, int end, int columns, byte* row);

    /// <summary>The sums over the columns from start to end of weight · activation, for each row and token of the tile.</summary>
    /// <param name="tile">The rows and tokens.</param>
    /// <param name="tokens">1, 2 or 4, and at most <see cref="MaxTokens"/>.</param>
    /// <param name="start">The first column, a multiple of <see cref="Granule"/>.</param>
    /// <param name="end">The column after the last, a multiple of <see cref="Granule"/> or the row's end.</param>
    /// <param name="columns">Length of the rows.</param>
    /// <param name="sums">The result, [4 rows, 4 tokens].</param>
    static abstract void Multiply(in Tile tile, int tokens, int start, int end, int columns, float* sums);
}

/// <summary>The addresses of four rows of weights, of their scales where the format has some, and of up to four rows of activations.</summary>
internal unsafe struct Tile
{
    public byte* Row0, Row1, Row2, Row3;
    public byte* Scale0, Scale1, Scale2, Scale3;
    public byte* Token0, Token1, Token2, Token3;

    /// <summary>How many bytes ahead to prefetch in each row; 0 for not.</summary>
    public long Ahead0, Ahead1, Ahead2, Ahead3;

    public void SetRows(in WeightRows weights, long row0, long row1, long row2, long row3)
    {
        Row0 = weights.Row(row0);
        Row1 = weights.Row(row1);
        Row2 = weights.Row(row2);
        Row3 = weights.Row(row3);
        Scale0 = weights.Scale(row0);
        Scale1 = weights.Scale(row1);
        Scale2 = weights.Scale(row2);
        Scale3 = weights.Scale(row3);
    }

    public void SetTokens(byte* token0, byte* token1, byte* token2, byte* token3)
    {
        Token0 = token0;
        Token1 = token1;
        Token2 = token2;
        Token3 = token3;
    }

    public readonly byte* Row(int r) => r switch { 0 => Row0, 1 => Row1, 2 => Row2, _ => Row3 };

    public readonly byte* Token(int t) => t switch { 0 => Token0, 1 => Token1, 2 => Token2, _ => Token3 };
}

/// <summary>The stacked matrices of all experts: row after row, without a gap.</summary>
/// <param name="Data">Address of the first row.</param>
/// <param name="RowBytes">Bytes of a row.</param>
/// <param name="Scales">Address of the first row's scales; null where the format has none.</param>
/// <param name="ScaleBytes">Bytes of a row's scales.</param>
internal unsafe readonly record struct WeightRows(nint Data, long RowBytes, nint Scales = 0, long ScaleBytes = 0)
{
    /// <summary>Address of a row. The offset is a <see cref="long"/>: Mixtral's input projections take 3.76 GB in float32.</summary>
    public byte* Row(long row) => (byte*)Data + row * RowBytes;

    /// <summary>Address of a row's scales.</summary>
    public byte* Scale(long row) => (byte*)Scales + row * ScaleBytes;
}
