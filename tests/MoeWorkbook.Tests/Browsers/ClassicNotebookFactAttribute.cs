namespace MoeWorkbook.Tests.Browsers;

/// <summary>A test that needs a browser and the classic Jupyter Notebook; skipped, with the reason, where one is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ClassicNotebookFactAttribute : BrowserFactAttribute
{
    public ClassicNotebookFactAttribute()
    {
        if (ClassicNotebook.Program is null) Skip ??= "no classic Notebook here: 'jupyter notebook' of version 6 is not installed";
    }
}
