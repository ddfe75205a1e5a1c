using System.Runtime.CompilerServices;
using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => select(0, i1);
            set => SetItem(value, i1);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => GetItem(i1, i2);
            set => SetItem(value, i1, i2);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3]
        {
            get => GetItem(i1, i2, i3);
            set => SetItem(value, i1, i2, i3);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4]
        {
            get => GetItem(i1, i2, i3, i4);
            set => SetItem(value, i1, i2, i3, i4);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4, long i5]
        {
            get => GetItem(i1, i2, i3, i4, i5);
            set => SetItem(value, i1, i2, i3, i4, i5);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4, long i5, long i6]
        {
            get => GetItem(i1, i2, i3, i4, i5, i6);
            set => SetItem(value, i1, i2, i3, i4, i5, i6);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params long[] indices]
        {
            get => GetItem(indices);
            set => SetItem(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor index(params Tensor[] indices) => Call("index.Tensor", this, Arg.Optional(indices));

        public Tensor index(params TensorIndex[] indices)
        {
            using var scope = NewDisposeScope();
            var (view, gathered) = View(indices);
            return (gathered is null ? view : Call("index.Tensor", view, Arg.Optional(gathered))).MoveToOuterDisposeScope();
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => index_put_(value, indices, false);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false) => InPlace("index_put_", this, Arg.Optional(indices), value, accumulate);

        public Tensor index_put_(Scalar value, params Tensor[] indices)
        {
            using var filler = value.ToTensor(dtype, device);
            return index_put_(filler, indices, false);
        }

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => index_put_(value, indices, false);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false)
        {
            using var scope = NewDisposeScope();
            var (view, gathered) = View(indices);
            if (gathered is not null) InPlace("index_put_", view, Arg.Optional(gathered), value, accumulate);
            else if (accumulate) view.add_(value);
            else view.copy_(value);
            return this;
        }

        public Tensor index_put_(Scalar value, params TensorIndex[] indices)
        {
            using var filler = value.ToTensor(dtype, device);
            return index_put_(filler, indices, false);
        }

        /// <summary>What numbers, slices and new axes select, and the tensors of indices that remain for that view's axes.</summary>
        private (Tensor view, Tensor?[]? gathered) View(TensorIndex[] indices)
        {
            var view = alias();
            var gathered = new List<Tensor?>();
            int axis = 0;
            for (int k = 0; k < indices.Length; k++)
            {
                var index = indices[k];
                switch (index.kind)
                {
                    case TensorIndex.Kind.Null:
                        view = view.unsqueeze(axis++);
                        break;
                    case TensorIndex.Kind.Ellipsis:
                        axis = (int)view.ndim - indices.Skip(k + 1).Sum(Consumed);
                        break;
                    case TensorIndex.Kind.Single:
                        view = view.select(axis, index.start ?? 0);
                        break;
                    case TensorIndex.Kind.Slice:
                        view = Call("slice.Tensor", view, axis++, index.start, index.stop, index.step ?? 1);
                        break;
                    case TensorIndex.Kind.Bool:
                        view = view.unsqueeze(axis);
                        Gather(index.start != 0 ? zeros(1, dtype: int64, device: device) : empty(0, dtype: int64, device: device));
                        break;
                    case TensorIndex.Kind.Tensor:
                        Gather(index.tensor!.device_type == device_type ? index.tensor : index.tensor.to(device), Consumed(index));
                        break;
                }
            }
            return (view, gathered.Count > 0 ? gathered.ToArray() : null);

            void Gather(Tensor index, int axes = 1)
            {
                while (gathered.Count < axis) gathered.Add(null);
                gathered.Add(index);
                axis += axes;
            }
        }

        /// <summary>How many axes an index takes away: a mask takes as many as it has.</summary>
        private static int Consumed(TensorIndex index) => index.kind switch
        {
            TensorIndex.Kind.Single or TensorIndex.Kind.Slice => 1,
            TensorIndex.Kind.Tensor => index.tensor!.dtype is ScalarType.Bool or ScalarType.Byte ? (int)index.tensor.ndim : 1,
            _ => 0,
        };

        private Tensor GetItem(params ReadOnlySpan<long> indices)
        {
            var item = select(0, indices[0]);
            for (int k = 1; k < indices.Length; k++)
            {
                using var outer = item;
                item = outer.select(0, indices[k]);
            }
            return item;
        }

        private void SetItem(Tensor value, params ReadOnlySpan<long> indices)
        {
            using var item = GetItem(indices);
            item.copy_(value);
        }

        public Tensor select(long dim, long index) => Call("select.int", this, dim, index);
        public Tensor narrow(long dim, long start, long length) => Call("narrow", this, dim, start, length);
        public Tensor slice(long dim, long start, long finish, long step) => Call("slice.Tensor", this, dim, start, finish, step);
        public Tensor gather(long dim, Tensor index) => Call("gather", this, dim, index);
        public Tensor take(Tensor index) => Call("take", this, index);
        public Tensor take_along_dim(Tensor indices) => Call("take_along_dim", this, indices);
        public Tensor take_along_dim(Tensor indices, long dim) => Call("take_along_dim", this, indices, dim);
        public Tensor index_select(long dim, Tensor index) => Call("index_select", this, dim, index);
        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar alpha) => Call("index_add", this, dim, index, source, alpha);
        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) => InPlace("index_add_", this, dim, index, source, alpha);
        public Tensor index_copy(long dim, Tensor index, Tensor source) => Call("index_copy", this, dim, index, source);
        public Tensor index_copy_(long dim, Tensor index, Tensor source) => InPlace("index_copy_", this, dim, index, source);
        public Tensor index_fill(long dim, Tensor index, Scalar value) => Call("index_fill.int_Scalar", this, dim, index, value);
        public Tensor index_fill_(long dim, Tensor index, Scalar value) => InPlace("index_fill_.int_Scalar", this, dim, index, value);
        public Tensor scatter(long dim, Tensor index, Tensor src) => Call("scatter.src", this, dim, index, src);
        public Tensor scatter_(long dim, Tensor index, Tensor src) => InPlace("scatter_.src", this, dim, index, src);
        public Tensor scatter_add(long dim, Tensor index, Tensor src) => Call("scatter_add", this, dim, index, src);
        public Tensor scatter_add_(long dim, Tensor index, Tensor src) => InPlace("scatter_add_", this, dim, index, src);
        public Tensor masked_fill(Tensor mask, Scalar value) => Call("masked_fill.Scalar", this, mask, value);
        public Tensor masked_fill_(Tensor mask, Scalar value) => InPlace("masked_fill_.Scalar", this, mask, value);
        public Tensor masked_select(Tensor mask) => Call("masked_select", this, mask);
        public Tensor masked_scatter(Tensor mask, Tensor value) => Call("masked_scatter", this, mask, value);
        public Tensor masked_scatter_(Tensor mask, Tensor value) => InPlace("masked_scatter_", this, mask, value);
        public Tensor where(Tensor condition, Tensor y) => Call("where.self", condition, this, y);
        public Tensor nonzero() => Call("nonzero", this);
        public Tensor argwhere() => Call("argwhere", this);
    }
}
