namespace VlmKernels.Models;

/// <summary>
/// Orders scores with their ids as 64-bit keys: ascending keys are descending scores, equal scores go by the lower id. Sorting and selecting
/// are then exact and need no comparer.
/// </summary>
internal static class Ranking
{
    /// <summary>The key of a score.</summary>
    public static ulong Key(float score, int id)
    {
        // −0 equals 0; the bits of a negative number fall where the number rises.
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        uint rising = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)~rising << 32) | (uint)id;
    }

    /// <summary>The id of a key.</summary>
    public static int Id(ulong key) => (int)(uint)key;

    /// <summary>The score of a key.</summary>
    public static float Score(ulong key)
    {
        uint rising = ~(uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((rising & 0x8000_0000) != 0 ? rising & 0x7FFF_FFFF : ~rising);
    }

    /// <summary>Keys of all scores but −∞, best first.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="keys">Room for as many.</param>
    /// <returns>How many there are.</returns>
    public static int Sort(ReadOnlySpan<float> scores, Span<ulong> keys)
    {
        int count = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (!float.IsNegativeInfinity(scores[i])) keys[count++] = Key(scores[i], i);
        }
        keys[..count].Sort();
        return count;
    }

    /// <summary>Puts a key into a list of the best ones, which is sorted; the last drops out when the list is full.</summary>
    /// <param name="key">The key.</param>
    /// <param name="best">The list's room.</param>
    /// <param name="count">Keys in the list.</param>
    public static void Insert(ulong key, Span<ulong> best, ref int count)
    {
        if (count == best.Length && key >= best[^1]) return;
        int at = count < best.Length ? count++ : count - 1;
        for (; at > 0 && best[at - 1] > key; at--) best[at] = best[at - 1];
        best[at] = key;
    }
}
