namespace MoeWorkbook.Tests.Browsers;

/// <summary>A test that needs a browser; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (HeadlessBrowser.Find(HeadlessBrowser.Programs) is null) Skip = $"no browser here: none of {string.Join(", ", HeadlessBrowser.Programs)}";
    }
}
