using VlmKernels.Tasks;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>BLEU-4 and CIDEr-D against values worked out by hand.</summary>
public sealed class CaptionMetricsTests
{
    [Fact]
    public void Words_are_runs_of_letters_and_digits_in_lower_case()
        => Assert.Equal(["a", "t", "shirt", "isn't", "it", "2"], Words.Of("A T-shirt - isn't it? '2'"));

    [Fact]
    public void Bleu_is_the_geometric_mean_of_four_precisions()
        => Assert.Equal(Math.Pow(6 / 7.0 * (5 / 6.0) * (4 / 5.0) * (3 / 4.0), 0.25), Of("a red bag above a blue coat", "a red bag above a blue shirt"), 1e-6);

    [Fact]
    public void Bleu_counts_no_word_more_often_than_a_reference_does()
    {
        // Four of five words, two of four pairs, no triple: a corpus that lacks one length scores nothing.
        Assert.Equal(0, Of("the cat the the mat", "the cat on the mat"), 1e-3);
        // The eighth word only repeats the seventh: 7/8, 6/7, 5/6, 4/5.
        Assert.Equal(Math.Pow(4 / 8.0, 0.25), Of("a red bag above the blue coat coat", "a red bag above the blue coat"), 1e-6);
    }

    [Fact]
    public void Bleu_punishes_captions_shorter_than_the_nearest_reference()
    {
        Assert.Equal(Math.Exp(1 - (7 / 4.0)), Of("a red bag above", "a red bag above a blue coat"), 1e-6);
        Assert.Equal(1, Of("a red bag above", "a red bag above a blue coat", "a red bag"), 1e-6);
    }

    [Fact]
    public void Cider_is_ten_for_the_only_reference_and_less_by_n_where_texts_are_short()
    {
        string[][][] references = [[Words.Of("a red bag above")], [Words.Of("one blue coat below")]];
        Assert.Equal(10, new CiderD(references).Corpus([references[0][0], references[1][0]]), 1e-9);
        Assert.Equal(5, Cider("red bag"), 1e-9);
    }

    [Fact]
    public void Cider_clips_counts_and_punishes_another_length()
    {
        // 1-grams: ln²2 / (2 ln 2 · √2 ln 2); the 2-gram is not in the reference.
        Assert.Equal(10 / 4.0 / (2 * Math.Sqrt(2)), Cider("red red"), 1e-9);
        // 1-grams: (1 + 1) / (√5 · √2); 2-grams: 1 / √2; one 2-gram more: exp(−1 / 72).
        Assert.Equal(10 / 4.0 * ((2 / Math.Sqrt(10)) + (1 / Math.Sqrt(2))) * Math.Exp(-1 / 72.0), Cider("red bag bag"), 1e-9);
    }

    [Fact]
    public void Words_that_all_pictures_share_weigh_nothing_in_cider()
    {
        string[][][] references = [[["a", "bag"]], [["a", "coat"]]];
        Assert.Equal(0, new CiderD(references).Corpus([["a"], ["a"]]), 1e-9);
    }

    /// <summary>Of two pictures, "red bag" and "blue coat", the score of the first; the second has its reference, which scores 5.</summary>
    private static double Cider(string written) => (2 * new CiderD([[["red", "bag"]], [["blue", "coat"]]]).Corpus([Words.Of(written), ["blue", "coat"]])) - 5;

    private static double Of(string written, params string[] references) => Bleu.Corpus([Words.Of(written)], [[.. references.Select(Words.Of)]]);
}
