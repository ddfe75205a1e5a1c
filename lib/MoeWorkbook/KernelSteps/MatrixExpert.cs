namespace MoeWorkbook;

/// <summary>A SwiGLU expert of three matrices for one token, y = W_down · (SiLU(W_gate·x) ⊙ W_up·x) (Shazeer 2020, arXiv:2002.05202), run as its matrices
/// are.</summary>
/// <remarks>Each call writes into the same buffers: not for several threads at once.</remarks>
public sealed class MatrixExpert
{
    private readonly WeightMatrix _gate, _up, _down;
    private readonly float[] _gated, _raised, _output;

    /// <summary>An expert of three matrices.</summary>
    /// <param name="gate">W_gate, <c>[intermediate, hidden]</c>.</param>
    /// <param name="up">W_up, <c>[intermediate, hidden]</c>.</param>
    /// <param name="down">W_down, <c>[hidden, intermediate]</c>.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public MatrixExpert(WeightMatrix gate, WeightMatrix up, WeightMatrix down)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(up);
        ArgumentNullException.ThrowIfNull(down);
        if ((gate.Rows, gate.Columns) != (up.Rows, up.Columns) || (down.Columns, down.Rows) != (gate.Rows, gate.Columns))
            throw new ArgumentException($"gate [{gate.Rows}, {gate.Columns}], up [{up.Rows}, {up.Columns}] and down [{down.Rows}, {down.Columns}] are not [intermediate, hidden], [intermediate, hidden] and [hidden, intermediate].", nameof(down));
        (_gate, _up, _down) = (gate, up, down);
        (_gated, _raised, _output) = (new float[gate.Rows], new float[gate.Rows], new float[down.Rows]);
    }

    /// <summary>Bytes that one token reads.</summary>
    public long Bytes => _gate.Bytes + _up.Bytes + _down.Bytes;

    /// <summary>Computes the expert for one token.</summary>
    /// <param name="x">The hidden state, <c>[hidden]</c>.</param>
    /// <param name="cores">How many cores share the rows of each matrix.</param>
    /// <returns>The output, <c>[hidden]</c>, overwritten by the next call.</returns>
    /// <exception cref="ArgumentException">The hidden state has another length.</exception>
    public float[] Forward(float[] x, int cores = 1)
    {
        _gate.Multiply(x, _gated, cores);
        _up.Multiply(x, _raised, cores);
        for (var i = 0; i < _gated.Length; i++) _gated[i] *= _raised[i] / (1 + MathF.Exp(-_gated[i]));
        _down.Multiply(_gated, _output, cores);
        return _output;
    }
}
