using VlmKernels.Kernels;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>Beam search against a second one, written down plainly from the description of the algorithm, over random tables of logits.</summary>
public sealed class BeamSearchTests
{
    private const int Vocabulary = 12, End = 2;

    public static TheoryData<int, int, float, BeamLength> Cases => new(
        from seed in Enumerable.Range(0, 6)
        from beams in (int[])[1, 2, 5]
        from penalty in (float[])[1, 0, 2.5f]
        from length in Enum.GetValues<BeamLength>()
        select (seed, beams, penalty, length));

    [Theory, MemberData(nameof(Cases))]
    public void Rows_and_scores_are_those_of_a_plain_search(int seed, int beams, float penalty, BeamLength length)
    {
        var options = new GenerationOptions { Mode = GenerationMode.Beam, EndToken = End, Beams = beams, Returned = beams, LengthPenalty = penalty, BeamLength = length, MaxLength = 9, MinLength = seed % 2 * 5 };
        float Logit(int at, int last, int token) => MathF.Sin((((at * 31) + last) * 17) + (token * 7.3f) + seed) * (token == End ? 3 : 2);
        using var backend = new ReferenceBackend();
        using var s = new Session(backend);
        var generator = new Generator(new ScriptedDecoder(Vocabulary, 20, Logit), options);
        int[][] prompts = [[1], [4, 5, 3]];
        using var state = generator.CreateState(s, 2, 3);
        var found = generator.Run(s, state, prompts).Sequences;
        for (int p = 0; p < 2; p++)
        {
            var expected = Plain(prompts[p], options, Logit);
            var own = found.Where(q => q.Prompt == p).ToList();
            Assert.Equal(expected.Select(e => string.Join(' ', e.Tokens)), own.Select(q => string.Join(' ', q.Tokens)));
            for (int i = 0; i < own.Count; i++) Assert.Equal(expected[i].Score, own[i].Score!.Value, 1e-4f);
        }
    }

    [Fact]
    public void A_search_with_room_for_every_row_finds_the_likeliest_of_all()
    {
        float Logit(int at, int last, int token) => MathF.Cos((at * 5.1f) + (last * 2.3f) + (token * 1.9f)) * 2;
        var options = new GenerationOptions { Mode = GenerationMode.Beam, EndToken = End, Beams = 6, LengthPenalty = 0, MaxNewTokens = 2 };
        using var backend = new ReferenceBackend();
        using var s = new Session(backend);
        var generator = new Generator(new ScriptedDecoder(Vocabulary, 20, Logit), options);
        using var state = generator.CreateState(s, 1, 1);
        var best = generator.Run(s, state, [[0]]).Sequences[0];
        var all = from first in Enumerable.Range(0, Vocabulary)
                  from second in first == End ? [-1] : Enumerable.Range(0, Vocabulary)
                  let sum = LogSoftmax(0, 0, Logit)[first] + (second < 0 ? 0 : LogSoftmax(1, first, Logit)[second])
                  orderby sum descending
                  select (Row: second < 0 ? [0, first] : (int[])[0, first, second], Sum: sum);
        Assert.Equal(all.First().Row, best.Tokens);
        Assert.Equal(all.First().Sum, best.Score!.Value, 1e-5f);
    }

    [Fact]
    public void Equal_candidates_go_by_beam_and_token()
    {
        var options = new GenerationOptions { Mode = GenerationMode.Beam, EndToken = End, Beams = 3, Returned = 3, MaxNewTokens = 2 };
        using var backend = new ReferenceBackend();
        using var s = new Session(backend);
        var generator = new Generator(new ScriptedDecoder(Vocabulary, 20, (_, _, token) => token == End ? -50 : 0), options);
        using var state = generator.CreateState(s, 1, 1);
        Assert.Equal(["7 0 0", "7 0 1", "7 0 3"], generator.Run(s, state, [[7]]).Sequences.Select(q => string.Join(' ', q.Tokens)));
    }

    private static List<(int[] Tokens, float Score)> Plain(int[] prompt, GenerationOptions o, Func<int, int, int, float> logit)
    {
        var finished = new List<(int[] Tokens, double Score)>();
        List<(int[] Tokens, double Sum)> beams = [(prompt, 0)];
        bool whole = o.BeamLength == BeamLength.WholeRow;
        double Normalised(double sum, int length) => sum / Math.Pow(length, o.LengthPenalty);
        void Add(int[] tokens, double score)
        {
            finished.Add((tokens, score));
            if (finished.Count > o.Beams) finished.Remove(finished.MinBy(f => f.Score));
        }
        bool settled = false;
        while (!settled && beams[0].Tokens.Length < o.MaxLength)
        {
            int n = beams[0].Tokens.Length;
            var candidates = (from beam in beams
                              let scores = LogSoftmax(n - 1, beam.Tokens[^1], logit)
                              from token in Enumerable.Range(0, Vocabulary)
                              where token != End || n >= o.MinLength
                              orderby beam.Sum + scores[token] descending
                              select (beam.Tokens, Token: token, Sum: beam.Sum + scores[token])).Take(2 * o.Beams).ToList();
            foreach (var c in candidates.Take(o.Beams).Where(c => c.Token == End)) Add([.. c.Tokens, End], Normalised(c.Sum, whole ? n : n + 1 - prompt.Length));
            beams = [.. candidates.Where(c => c.Token != End).Take(o.Beams).Select(c => ((int[])[.. c.Tokens, c.Token], c.Sum))];
            double best = whole ? candidates[0].Sum : beams[0].Sum;
            settled = finished.Count == o.Beams && finished.Min(f => f.Score) >= Normalised(best, whole ? n : n + 1 - prompt.Length);
        }
        if (!settled)
        {
            foreach (var (tokens, sum) in beams) Add(tokens, Normalised(sum, whole ? tokens.Length : tokens.Length - prompt.Length));
        }
        return [.. finished.OrderByDescending(f => f.Score).Select(f => (f.Tokens, (float)f.Score))];
    }

    private static double[] LogSoftmax(int at, int last, Func<int, int, int, float> logit)
    {
        double[] scores = [.. Enumerable.Range(0, Vocabulary).Select(t => (double)logit(at, last, t))];
        double total = Math.Log(scores.Sum(Math.Exp));
        return [.. scores.Select(v => v - total)];
    }
}
