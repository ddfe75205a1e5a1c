using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Torch;

public class DisposeScopeTests
{
    private static long Live => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    [Fact]
    public void A_scope_disposes_what_was_made_inside_it()
    {
        long before = Live;
        Tensor inside;
        using (NewDisposeScope())
        {
            inside = ones(3) + 1;
            Assert.Equal(before + 2, Live);
        }
        Assert.True(inside.IsInvalid);
        Assert.Equal(before, Live);
        Assert.Throws<InvalidOperationException>(() => inside + 1);
    }

    [Fact]
    public void What_is_moved_out_outlives_the_scope()
    {
        using var outer = NewDisposeScope();
        Tensor moved, detached;
        using (var inner = NewDisposeScope())
        {
            moved = (ones(3) + 1).MoveToOuterDisposeScope();
            detached = ones(3).DetachFromDisposeScope();
            Assert.Equal(1, inner.DisposablesCount);
        }
        Assert.False(moved.IsInvalid);
        Assert.False(detached.IsInvalid);
        outer.Dispose();
        Assert.True(moved.IsInvalid);
        Assert.False(detached.IsInvalid);
        detached.Dispose();
    }

    [Fact]
    public void A_training_loop_holds_the_number_of_live_tensors()
    {
        using var linear = nn.Linear(4, 4);
        using var optimizer = optim.AdamW(linear.parameters(), lr: 0.01);
        void Step()
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            var (values, indices) = linear.forward(randn(8, 4)).softmax(-1).topk(2);
            (values.sum() + zeros(8, 4).scatter(1, indices, values).square().mean()).backward();
            nn.utils.clip_grad_norm_(linear.parameters(), 1);
            optimizer.step();
        }
        Step();
        long live = Live;
        for (int k = 0; k < 50; k++) Step();
        Assert.Equal(live, Live);
    }

    [Fact]
    public void Indexing_leaves_nothing_behind()
    {
        var x = arange(24).reshape(2, 3, 4).DetachFromDisposeScope();
        using var index = tensor(new long[] { 0, 2 });
        long live = Live;
        for (int k = 0; k < 10; k++)
        {
            x[1, 2, 3].Dispose();
            x[TensorIndex.Ellipsis, 1..].Dispose();
            x[TensorIndex.Colon, TensorIndex.Tensor(index), TensorIndex.Null].Dispose();
            using (var zero = zeros(4, dtype: int64)) x[0, TensorIndex.Single(1)] = zero;
        }
        Assert.Equal(live, Live);
        x.Dispose();
    }

    [Fact]
    public void A_parameter_of_a_layer_belongs_to_the_layer_and_not_to_the_scope()
    {
        Linear linear;
        using (NewDisposeScope()) linear = nn.Linear(2, 2);
        Assert.False(linear.weight.IsInvalid);
        linear.Dispose();
        Assert.True(linear.weight.IsInvalid);
    }

    [Fact]
    public void Each_thread_has_its_own_scopes()
    {
        using var scope = NewDisposeScope();
        int inOther = -1;
        var thread = new Thread(() =>
        {
            using var tensor = ones(2);
            inOther = CurrentDisposeScope is null ? 0 : 1;
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, inOther);
        Assert.Equal(0, scope.DisposablesCount);
    }
}
