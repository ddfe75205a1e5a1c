namespace TorchSharp;

/// <summary>The stack of dispose scopes of one thread.</summary>
public class DisposeScopeManager
{
    [ThreadStatic] private static DisposeScopeManager? current;

    internal static DisposeScopeManager Current => current ??= new DisposeScopeManager();

    private readonly ThreadDisposeScopeStatistics statistics = new();

    public static ThreadDisposeScopeStatistics Statistics => Current.statistics;

    internal DisposeScope? Innermost { get; private set; }

    internal DisposeScope Open() => Innermost = new DisposeScope(this, Innermost);

    /// <summary>Takes a scope, not necessarily the innermost, out of the stack.</summary>
    internal void Close(DisposeScope closed)
    {
        if (Innermost == closed) Innermost = closed.Outer;
        else
            for (var scope = Innermost; scope is not null; scope = scope.Outer)
                if (scope.Outer == closed) scope.Outer = closed.Outer;
    }

    internal DisposeScope? Created(torch.Tensor tensor)
    {
        if (Innermost is null) statistics.TensorStatistics.CreatedOutsideScopeCount++;
        else
        {
            statistics.TensorStatistics.CreatedInScopeCount++;
            Innermost.Members.Add(tensor);
        }
        return Innermost;
    }

    internal void Disposed(torch.Tensor tensor)
    {
        if (tensor.Scope is null) statistics.TensorStatistics.DisposedOutsideScopeCount++;
        else statistics.TensorStatistics.DisposedInScopeCount++;
    }
}
