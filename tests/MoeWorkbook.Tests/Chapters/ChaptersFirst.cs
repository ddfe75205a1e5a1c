using MoeWorkbook.Tests.Chapters;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(ChaptersFirst))]

namespace MoeWorkbook.Tests.Chapters;

/// <summary>Notebooks, one after the other, take as long as all else, which runs beside them.</summary>
public sealed class ChaptersFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TCollection> OrderTestCollections<TCollection>(IReadOnlyCollection<TCollection> testCollections)
        where TCollection : ITestCollection =>
        [.. testCollections.OrderByDescending(collection => collection.TestCollectionDisplayName.Contains(nameof(ChapterTests), StringComparison.Ordinal))];
}
