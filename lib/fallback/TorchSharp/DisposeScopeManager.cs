namespace TorchSharp;

/// <summary>The stack of dispose scopes of one thread.</summary>
public class DisposeScopeManager
{
    [ThreadStatic] private static DisposeScopeManager? _current;

    internal static DisposeScopeManager Current => _current ??= new DisposeScopeManager();

    private readonly ThreadDisposeScopeStatistics _statistics = new();

    public static ThreadDisposeScopeStatistics Statistics => Current._statistics;

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
        if (Innermost is null) _statistics.TensorStatistics.CreatedOutsideScopeCount++;
        else
        {
            _statistics.TensorStatistics.CreatedInScopeCount++;
            Innermost.Members.Add(tensor);
        }
        return Innermost;
    }

    internal void Disposed(torch.Tensor tensor)
    {
        if (tensor.Scope is null) _statistics.TensorStatistics.DisposedOutsideScopeCount++;
        else _statistics.TensorStatistics.DisposedInScopeCount++;
    }
}
