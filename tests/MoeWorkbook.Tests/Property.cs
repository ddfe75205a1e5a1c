using CsCheck;

namespace MoeWorkbook.Tests;

/// <summary>Properties on CsCheck's samples, the same ones in every run: a seed of its own would fix the first sample alone.</summary>
internal static class Property
{
    /// <summary>Asserts of every sample, in this thread. After a failure the samples that are left look for a smaller one, which is told.</summary>
    public static void Holds<T>(this Gen<T> gen, int samples, Action<T> assert, Func<T, string>? print = null) =>
        new Repeatable<T>(gen).Sample(assert, iter: samples, threads: 1, print: print);

    private sealed class Repeatable<T>(Gen<T> gen) : Gen<T>
    {
        private readonly PCG _random = new(stream: 1, seed: 1);

        public override T Generate(PCG pcg, Size? min, out Size size) => gen.Generate(_random, min, out size);
    }
}
