namespace MoeWorkbook;

/// <summary>Random numbers that are the same on every machine and in every version of .NET: SplitMix64 (Steele et al. 2014).</summary>
internal sealed class RandomSource(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A seed of its own for each (seed, stream) pair: what is drawn for one step does not depend on what was drawn before it.</summary>
    public static ulong Seed(ulong seed, ulong stream) => new RandomSource(Mix(seed + 0x9E3779B97F4A7C15) ^ stream).Next();

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>A whole number from 0 to below <paramref name="bound"/>.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>A number from 0 to below 1.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>SplitMix64's finaliser: every bit of the number changes every bit of the result.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
