namespace TorchSharp;

/// <summary>Disposes, at its end, every tensor that was created on its thread since its beginning and not moved out.</summary>
public sealed class DisposeScope : IDisposable
{
    private DisposeScopeManager? _manager;

    internal DisposeScope(DisposeScopeManager manager, DisposeScope? outer) => (this._manager, Outer) = (manager, outer);

    internal DisposeScope? Outer { get; set; }

    internal HashSet<IDisposable> Members { get; private set; } = new(ReferenceEqualityComparer.Instance);

    private DisposeScopeManager Manager => _manager ?? throw new ObjectDisposedException(GetType().FullName);

    public int DisposablesCount => Manager is not null ? Members.Count : 0;

    public IReadOnlyList<IDisposable> DisposablesView => Manager is not null ? Members.ToArray() : [];

    public bool Contains(IDisposable disposable) => Members.Contains(disposable);

    public T MoveToOuter<T>(T disposable) where T : IDisposable
    {
        Move(Outer, disposable);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable =>
        (MoveToOuter(first), MoveToOuter(second));

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third) where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable =>
        (MoveToOuter(first), MoveToOuter(second), MoveToOuter(third));

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOther(Outer, disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(Outer, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable) where T : IDisposable
    {
        Move(scope, disposable);
        return disposable;
    }

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables) => MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        foreach (var disposable in disposables) Move(scope, disposable);
    }

    public T Detach<T>(T disposable) where T : IDisposable
    {
        Move(null, disposable);
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable => (Detach(first), Detach(second));

    public (T1 first, T2 second, T3 third) Detach<T1, T2, T3>(T1 first, T2 second, T3 third) where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable =>
        (Detach(first), Detach(second), Detach(third));

    public void Detach(params IDisposable[] disposables) => MoveToOther(null, disposables);

    public void Detach(IEnumerable<IDisposable> disposables) => MoveToOther(null, disposables);

    public void Attach(IDisposable disposable) => Take(disposable);

    public void Attach(params IDisposable[] disposables) => Attach((IEnumerable<IDisposable>)disposables);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        var attached = disposables.ToList();
        attached.ForEach(Take);
        return attached;
    }

    public void DisposeEverything() => DisposeEverythingBut(Enumerable.Empty<IDisposable>());

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        _ = Manager;
        var all = Members;
        Members = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        foreach (var member in all)
            if (!Members.Contains(member)) member.Dispose();
    }

    public T DisposeEverythingBut<T>(T keep) where T : IDisposable
    {
        DisposeEverythingBut([keep]);
        return keep;
    }

    public void MarkAsDisposed(IDisposable disposable)
    {
        _ = Manager;
        Members.Remove(disposable);
        if (disposable is torch.Tensor tensor) tensor.Scope = null;
    }

    public void Dispose()
    {
        if (_manager is null) return;
        DisposeEverything();
        _manager.Close(this);
        _manager = null;
    }

    /// <summary>Moves a member to another scope, or to none. What is no member stays where it is.</summary>
    private void Move(DisposeScope? scope, IDisposable disposable)
    {
        _ = Manager;
        if (disposable is not torch.Tensor tensor || !Members.Remove(disposable)) return;
        tensor.Scope = scope;
        if (scope is not null) scope.Members.Add(tensor);
        else DisposeScopeManager.Statistics.TensorStatistics.DetachedFromScopeCount++;
    }

    internal void Replace(torch.Tensor member, torch.Tensor replacement)
    {
        Members.Remove(member);
        Members.Add(replacement);
    }

    private void Take(IDisposable disposable)
    {
        _ = Manager;
        if (disposable is not torch.Tensor tensor) throw new InvalidOperationException("DisposeScope can only manage tensors.");
        if (tensor.Scope == this) return;
        tensor.Scope?.Members.Remove(tensor);
        Members.Add(tensor);
        tensor.Scope = this;
        DisposeScopeManager.Statistics.TensorStatistics.AttachedToScopeCount++;
    }
}
