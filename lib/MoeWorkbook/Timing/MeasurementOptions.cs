using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>How times are measured.</summary>
public sealed record MeasurementOptions
{
    /// <summary>The most rounds; in each, every alternative is timed once.</summary>
    public int Rounds { get; init; } = 15;

    /// <summary>The fewest rounds, even where <see cref="Limit"/> is spent.</summary>
    public int FewestRounds { get; init; } = 5;

    /// <summary>Rounds before the first that counts: caches fill, code is compiled, threads wake up.</summary>
    public int WarmUpRounds { get; init; } = 1;

    /// <summary>The time after which no further round begins.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What one sample takes at least: shorter actions are repeated within it, so that the clock's own step does not count.</summary>
    public TimeSpan ShortestSample { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Fixes the order within rounds.</summary>
    public int Seed { get; init; }

    /// <summary>The device that the actions hand work to: its work must be done when the clock is read. Null for the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message names it.</exception>
    internal void Validate()
    {
        if (Rounds < 1) throw new ArgumentException($"Rounds is {Rounds}; it must be at least 1.");
        if (FewestRounds < 1) throw new ArgumentException($"FewestRounds is {FewestRounds}; it must be at least 1.");
        if (WarmUpRounds < 0) throw new ArgumentException($"WarmUpRounds is {WarmUpRounds}; it must not be negative.");
    }
}
