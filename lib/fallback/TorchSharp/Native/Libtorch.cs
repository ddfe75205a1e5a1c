using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace TorchSharp;

/// <summary>Finds and loads the native half (native.cpp), and calls libtorch's operators through it.</summary>
internal static unsafe partial class Libtorch
{
    private static readonly ConcurrentDictionary<string, nint> Operators = new();

    /// <summary>Calls an operator by its schema name, say "add.Tensor". Arguments left out at the end take the schema's defaults.</summary>
    internal static torch.Tensor Call(string name, params ReadOnlySpan<Arg> arguments)
    {
        Value* results;
        Invoke(name, arguments, &results);
        return new torch.Tensor((nint)results[0].Bits);
    }

    internal static (torch.Tensor, torch.Tensor) Call2(string name, params ReadOnlySpan<Arg> arguments)
    {
        Value* results;
        Invoke(name, arguments, &results);
        return (new torch.Tensor((nint)results[0].Bits), new torch.Tensor((nint)results[1].Bits));
    }

    internal static (torch.Tensor, torch.Tensor, torch.Tensor) Call3(string name, params ReadOnlySpan<Arg> arguments)
    {
        Value* results;
        Invoke(name, arguments, &results);
        return (new torch.Tensor((nint)results[0].Bits), new torch.Tensor((nint)results[1].Bits), new torch.Tensor((nint)results[2].Bits));
    }

    internal static torch.Tensor[] CallList(string name, params ReadOnlySpan<Arg> arguments)
    {
        Value* results;
        long count = Invoke(name, arguments, &results);
        return Tensors(results, count);
    }

    /// <summary>Calls an operator that returns a number or a truth value.</summary>
    internal static Scalar CallScalar(string name, params ReadOnlySpan<Arg> arguments)
    {
        Value* results;
        Invoke(name, arguments, &results);
        return new Scalar(results[0]);
    }

    /// <summary>Calls an operator that changes its first argument, and returns that.</summary>
    internal static torch.Tensor InPlace(string name, params ReadOnlySpan<Arg> arguments)
    {
        Invoke(name, arguments, null);
        return (torch.Tensor)arguments[0].Reference!;
    }

    /// <summary>The tensors that a native function left at <paramref name="results"/>.</summary>
    internal static torch.Tensor[] Tensors(Value* results, long count)
    {
        var tensors = new torch.Tensor[count];
        for (int k = 0; k < tensors.Length; k++) tensors[k] = new torch.Tensor((nint)results[k].Bits);
        return tensors;
    }

    [SkipLocalsInit]
    private static long Invoke(string name, ReadOnlySpan<Arg> arguments, Value** results)
    {
        nint handle = Operators.GetOrAdd(name, Find);
        int listed = 0;
        foreach (ref readonly var argument in arguments) listed += argument.Words;
        Value* values = stackalloc Value[arguments.Length];
        Span<long> words = listed <= 64 ? stackalloc long[64] : new long[listed];
        long count;
        fixed (long* start = words)
        {
            long* free = start;
            for (int k = 0; k < arguments.Length; k++) values[k] = arguments[k].Lower(ref free);
            count = torch_call(handle, values, arguments.Length, results);
        }
        foreach (ref readonly var argument in arguments) GC.KeepAlive(argument.Reference);
        return count >= 0 ? count : throw Error();
    }

    private static nint Find(string name)
    {
        int dot = name.IndexOf('.');
        string overload = dot < 0 ? "" : name[(dot + 1)..];
        fixed (byte* n = Encoding.UTF8.GetBytes("aten::" + (dot < 0 ? name : name[..dot]) + "\0"), o = Encoding.UTF8.GetBytes(overload + "\0"))
        {
            nint handle = torch_operator(n, o);
            return handle != 0 ? handle : throw Error();
        }
    }

    /// <summary>The last error of this thread as TorchSharp reports it.</summary>
    internal static ExternalException Error() => new(Marshal.PtrToStringUTF8(torch_last_error()));

    /// <summary>Throws the last error when a native function returned -1.</summary>
    internal static void Check(int result)
    {
        if (result < 0) throw Error();
    }

    /// <summary>Wraps a tensor that a native function returned; null is an error.</summary>
    internal static torch.Tensor Wrap(nint handle) => handle != 0 ? new torch.Tensor(handle) : throw Error();

    // ---- loading ----

    private const string Name = "TorchSharpNative";
    private static readonly Lazy<nint> Library = new(Load);

    static Libtorch() => NativeLibrary.SetDllImportResolver(typeof(Libtorch).Assembly, (name, _, _) => name == Name ? Library.Value : 0);

    private static nint Load()
    {
        // OpenBLAS does not know every processor, and then takes kernels at half speed; its own variable decides better,
        // if it is in the process's environment before libopenblas is loaded.
        if (Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported) SetEnvironment("OPENBLAS_CORETYPE", "SkylakeX");

        string beside = Path.Combine(Path.GetDirectoryName(typeof(Libtorch).Assembly.Location) is { Length: > 0 } folder ? folder : AppContext.BaseDirectory, $"lib{Name}.so");
        nint handle;
        try
        {
            handle = NativeLibrary.Load(beside);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            string cause = File.Exists(beside) ? e.Message.Split('\n').FirstOrDefault(line => line.Contains("cannot open", StringComparison.Ordinal)) ?? e.Message : $"{beside} is missing";
            throw new NotSupportedException(
                $"libtorch could not be loaded: {cause.Trim()}. Install it with 'apt-get install libtorch-dev libopenblas0-pthread g++' " +
                "(or set LIBTORCH to the folder of another libtorch), remove artifacts/ and build again.", e);
        }
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null)
            ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(handle, "torch_set_threads"))(Environment.ProcessorCount);
        return handle;
    }

    /// <summary>.NET's own SetEnvironmentVariable does not reach native code on Linux. A value that is set already stays.</summary>
    private static void SetEnvironment(string name, string value)
    {
        fixed (byte* n = Encoding.UTF8.GetBytes(name + "\0"), v = Encoding.UTF8.GetBytes(value + "\0")) _ = setenv(n, v, 0);
    }

    [DllImport("libc")] private static extern int setenv(byte* name, byte* value, int overwrite);

    [DllImport(Name)] internal static extern nint torch_version();
    [DllImport(Name)] internal static extern nint torch_last_error();
    [DllImport(Name)] private static extern nint torch_operator(byte* name, byte* overload);
    [DllImport(Name)] private static extern long torch_call(nint op, Value* arguments, int count, Value** results);

    [DllImport(Name)] internal static extern void torch_free(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern long torch_dim(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern long torch_numel(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern void torch_sizes(nint tensor, long* sizes);
    [DllImport(Name), SuppressGCTransition] internal static extern void torch_strides(nint tensor, long* strides);
    [DllImport(Name), SuppressGCTransition] internal static extern long torch_storage_offset(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern int torch_dtype(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern int torch_device_type(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern int torch_device_index(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern bool torch_is_contiguous(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern bool torch_is_sparse(nint tensor);
    [DllImport(Name)] internal static extern nint torch_data(nint tensor);
    [DllImport(Name)] internal static extern nint torch_from_blob(void* data, long* sizes, int dims, int dtype, delegate* unmanaged<nint, void> release, nint context);

    [DllImport(Name), SuppressGCTransition] internal static extern bool torch_requires_grad(nint tensor);
    [DllImport(Name), SuppressGCTransition] internal static extern bool torch_is_leaf(nint tensor);
    [DllImport(Name)] internal static extern int torch_set_requires_grad(nint tensor, bool on);
    [DllImport(Name)] internal static extern int torch_retain_grad(nint tensor);
    [DllImport(Name)] internal static extern nint torch_grad(nint tensor);
    [DllImport(Name)] internal static extern int torch_set_grad(nint tensor, nint grad);
    [DllImport(Name)] internal static extern int torch_backward(nint* outputs, int count, nint* grads, int gradCount, bool retainGraph, bool createGraph, nint* inputs, int inputCount);
    [DllImport(Name)] internal static extern long torch_autograd_grad(nint* outputs, int count, nint* inputs, int inputCount, nint* grads, int gradCount, bool retainGraph, bool createGraph, bool allowUnused, Value** results);
    [DllImport(Name), SuppressGCTransition] internal static extern bool torch_grad_mode();
    [DllImport(Name), SuppressGCTransition] internal static extern void torch_set_grad_mode(bool on);
    [DllImport(Name), SuppressGCTransition] internal static extern bool torch_is_inference_mode();
    [DllImport(Name)] internal static extern nint torch_enter_inference_mode(bool on);
    [DllImport(Name)] internal static extern void torch_leave_inference_mode(nint mode);

    [DllImport(Name)] internal static extern nint torch_generator(int deviceType, int deviceIndex);
    [DllImport(Name)] internal static extern nint torch_default_generator();
    [DllImport(Name)] internal static extern void torch_free_generator(nint generator);
    [DllImport(Name)] internal static extern int torch_generator_seed(nint generator, long seed);
    [DllImport(Name)] internal static extern long torch_generator_initial_seed(nint generator);
    [DllImport(Name)] internal static extern nint torch_generator_state(nint generator);
    [DllImport(Name)] internal static extern int torch_generator_set_state(nint generator, nint state);
    [DllImport(Name)] internal static extern int torch_manual_seed(long seed);

    [DllImport(Name)] internal static extern int torch_threads();
    [DllImport(Name)] internal static extern void torch_set_threads(int count);
    [DllImport(Name)] internal static extern int torch_interop_threads();
    [DllImport(Name)] internal static extern int torch_set_interop_threads(int count);
    [DllImport(Name)] internal static extern int torch_cuda_devices();
    [DllImport(Name)] internal static extern int torch_synchronize(int deviceIndex);
}
