namespace MoeWorkbook.Tests.Notebooks;

/// <summary>A test with data that needs a Jupyter server; skipped, with the reason, where none is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class JupyterTheoryAttribute : TheoryAttribute
{
    public JupyterTheoryAttribute()
    {
        if (JupyterServer.Program is null) Skip = "no Jupyter server here: 'jupyter server' is not installed";
    }
}
