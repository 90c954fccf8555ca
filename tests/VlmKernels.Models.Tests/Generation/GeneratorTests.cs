using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>The loop over a model: caches, batches, streams, ends.</summary>
public sealed class GeneratorTests
{
    private const int End = 2, Width = 24;

    private static readonly GenerationOptions Greedy = new() { EndToken = End, MaxLength = 20 };
    private static readonly int[][] Prompts = [[5, 6, 7], [8], [9, 10, 11, 12, 13, 1, 3]];

    public static TheoryData<string> Names => new(Backends.Names);

    public static TheoryData<GenerationMode> Modes => new(Enum.GetValues<GenerationMode>());

    [Theory, MemberData(nameof(Names))]
    public void Steps_over_the_cache_give_the_bits_of_the_whole_text_at_once(string backend)
    {
        using var r = new Run(backend);
        var result = r.Generate(Greedy with { Suppressed = [End] }, [Prompts[0]], withTrace: true);
        var row = result.Sequences[0];
        Assert.Equal(20, row.Tokens.Count);
        using var state = r.State(Greedy, 1, 1);
        float[] whole = r.Model.Uncached(r.Session, [.. row.Tokens], state);
        for (int step = 0; step < result.Trace!.Logits.Count; step++)
        {
            int at = Prompts[0].Length - 1 + step;
            Assert.Equal(whole[(at * 37)..((at + 1) * 37)], result.Trace.Logits[step]);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void A_row_is_the_same_alone_and_beside_prompts_of_other_lengths(string backend)
    {
        using var r = new Run(backend);
        foreach (var options in (GenerationOptions[])[Greedy, Greedy with { Mode = GenerationMode.Beam, Beams = 3, Returned = 2, BeamLength = BeamLength.NewTokens }, Greedy with { Mode = GenerationMode.Sample, Returned = 2, Seed = 5 }])
        {
            var together = r.Generate(options, Prompts).Sequences;
            Assert.Equal(3 * options.Returned, together.Count);
            for (int p = 0; p < Prompts.Length; p++)
            {
                var alone = r.Generate(options with { FirstRows = [p * options.RowsPerPrompt] }, [Prompts[p]], firstPicture: p).Sequences;
                var own = together.Where(q => q.Prompt == p).ToList();
                for (int i = 0; i < alone.Count; i++)
                {
                    Assert.Equal(alone[i].Tokens, own[i].Tokens);
                    Assert.Equal(alone[i].Score, own[i].Score);
                }
            }
        }
    }

    [Fact]
    public void Beams_of_one_are_greedy_and_wider_ones_are_at_least_as_likely()
    {
        using var r = new Run("reference");
        var options = Greedy with { Mode = GenerationMode.Beam, LengthPenalty = 0, MaxNewTokens = 6, Suppressed = [End] };
        var one = r.Generate(options, [Prompts[0]]).Sequences[0];
        Assert.Equal(r.Generate(Greedy with { MaxNewTokens = 6, Suppressed = [End] }, [Prompts[0]]).Sequences[0].Tokens, one.Tokens);
        Assert.True(r.Generate(options with { Beams = 8 }, [Prompts[0]]).Sequences[0].Score >= one.Score);
    }

    [Fact]
    public void Samples_depend_on_seed_and_row_only()
    {
        using var r = new Run("reference");
        var options = Greedy with { Mode = GenerationMode.Sample, Returned = 4, Temperature = 2, Seed = 1, Suppressed = [End] };
        string Rows(GenerationOptions o) => string.Join('|', r.Generate(o, [Prompts[0]]).Sequences.Select(q => string.Join(' ', q.Tokens)));
        Assert.Equal(Rows(options), Rows(options));
        Assert.NotEqual(Rows(options), Rows(options with { Seed = 2 }));
        Assert.Equal(4, Rows(options).Split('|').Distinct().Count());
        Assert.Equal(Rows(options).Split('|')[2], Rows(options with { Returned = 1, FirstRows = [2] }));
        var draws = Enumerable.Range(0, 20_000).Select(i => Sampler.Uniform(7, i % 10, i / 10)).ToList();
        Assert.InRange(draws.Average(), 0.49, 0.51);
        Assert.All(draws, u => Assert.InRange(u, 0, 0.999_999_999_999));
    }

    [Fact]
    public void Tokens_stream_in_order_and_a_cancelled_request_keeps_what_it_has()
    {
        using var r = new Run("reference");
        using var source = new CancellationTokenSource();
        var seen = new List<int>[2] { [], [] };
        var options = Greedy with { Suppressed = [End] };
        var result = r.Generate(options, Prompts[..2], (row, token) =>
        {
            seen[row].Add(token);
            if (seen[1].Count == 4) source.Cancel();
        }, cancellation: source.Token);
        for (int p = 0; p < 2; p++)
        {
            Assert.Equal([.. Prompts[p], .. seen[p]], result.Sequences[p].Tokens);
            Assert.Equal(4, seen[p].Count);
            Assert.False(result.Sequences[p].HasEnded);
        }
        var beams = r.Generate(options with { Mode = GenerationMode.Beam, Beams = 3 }, Prompts[..1], cancellation: new CancellationToken(true));
        Assert.Equal(4, beams.Sequences[0].Tokens.Count);
    }

    [Fact]
    public void Ends_forced_tokens_and_stop_strings_are_kept()
    {
        var decoder = new ScriptedDecoder(10, 30, (at, _, token) => token == at + 2 ? 5 : 0);
        using var r = new Run("reference");
        string Text(GenerationOptions o) => string.Join(' ', r.Generate(o, [[0, 1]], decoder: decoder).Sequences[0].Tokens);
        var options = new GenerationOptions { EndToken = 7, PadToken = 9 };
        Assert.Equal("0 1 3 4 5 6 7", Text(options));
        Assert.Equal("0 1 3 4 5", Text(options with { MaxNewTokens = 3 }));
        Assert.Equal("0 1 3 4 7", Text(options with { MaxNewTokens = 3, ForcesEnd = true }));
        Assert.Equal("0 1 8 4 5 6 7", Text(options with { ForcedFirst = 8 }));
        Assert.Equal("0 1 3 4 5", Text(options with { Stops = new StopStrings(["45"], ids => string.Concat(ids)) }));
        Assert.Equal("0 1 3 4 5", Text(options with { Stops = new StopStrings(["01", "13", "45"], ids => string.Concat(ids)) }));
        Assert.Equal("0 1 3 4 5 6 0 8 9 0 0", Text(options with { MinLength = 20, MaxLength = 11 }));
        var two = r.Generate(options with { PadsWithEnd = true }, [[0, 1], [0, 1, 0, 0]], decoder: decoder);
        Assert.True(two.Sequences[0].HasEnded);
        Assert.Equal(["0 1 3 4 5 6 7", "0 1 0 0 5 6 7"], two.Padded(options).Select(q => string.Join(' ', q)));
    }

    [Fact]
    public void Wrong_options_are_refused_by_name()
    {
        using var r = new Run("reference");
        void Refuses(GenerationOptions o, string text) => Assert.Contains(text, Assert.Throws<ArgumentException>(() => r.Generate(o, [Prompts[0]])).Message, StringComparison.Ordinal);
        Refuses(Greedy with { EndToken = 37 }, "EndToken must be 0 to 36, found 37");
        Refuses(Greedy with { Temperature = 0 }, "Temperature must be above 0, found 0");
        Refuses(Greedy with { TopP = 1.5f }, "TopP must be above 0, at most 1, found 1.5");
        Refuses(Greedy with { Mode = GenerationMode.Beam, Beams = 19 }, "Beams must be 1 to 18, found 19");
        Refuses(Greedy with { Mode = GenerationMode.Beam, Beams = 2, Returned = 3 }, "Returned must be at most the 2 beams, found 3");
        Refuses(Greedy with { MaxLength = 3 }, "a prompt of 3 tokens leaves no room for a new one");
        var decoder = new ScriptedDecoder(4, 9, (_, _, _) => float.NaN);
        Assert.Contains("no finite score", Assert.Throws<InvalidOperationException>(() => r.Generate(new GenerationOptions { EndToken = 1 }, [[0]], decoder: decoder)).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Modes))]
    public void A_step_allocates_nothing(GenerationMode mode)
    {
        using var r = new Run(Tiers.Best.Name());
        var watched = new Watched(r.Model);
        r.Generate(Greedy with { Mode = mode, MaxLength = 40, Beams = mode == GenerationMode.Beam ? 3 : 1, Suppressed = [End], RepetitionPenalty = 1.2f, NoRepeatNgram = 3, TopK = 9, TopP = 0.9f }, [Prompts[0]], decoder: watched);
        var steps = watched.Allocated.Zip(watched.Allocated.Skip(1), (a, b) => b - a).Skip(3).ToList();
        Assert.True(steps.Count(bytes => bytes == 0) > steps.Count * 3 / 4, string.Join(' ', steps));
    }

    /// <summary>A decoder that notes how much its thread has allocated at every call.</summary>
    private sealed class Watched(ITextDecoder inner) : ITextDecoder
    {
        public List<long> Allocated { get; } = new(100);

        public int Vocabulary => inner.Vocabulary;

        public int Context => inner.Context;

        public DecodeState CreateState(Session s, int prompts, int rowsPerPrompt, int capacity) => inner.CreateState(s, prompts, rowsPerPrompt, capacity);

        public Tensor Logits(Session s, Tensor ids, DecodeState state)
        {
            Allocated.Add(GC.GetAllocatedBytesForCurrentThread());
            return inner.Logits(s, ids, state);
        }
    }

    private sealed class Run : IDisposable
    {
        private readonly IBackend _backend;
        private readonly LoadedModel<TinyDecoder> _loaded;

        public Run(string backend)
        {
            _backend = Backends.Make(backend);
            _loaded = WeightLoader.Load(new RandomWeights(4), _backend, root => new TinyDecoder(root));
            Session = new Session(_backend);
        }

        public Session Session { get; }

        public TinyDecoder Model => _loaded.Model;

        public DecodeState State(GenerationOptions options, int prompts, int longest, int firstPicture = 0, ITextDecoder? decoder = null)
        {
            var state = new Generator(decoder ?? Model, options).CreateState(Session, prompts, longest);
            using var mark = Session.Mark();
            var pictures = Session.Take(prompts, TinyDecoder.PictureTokens, Width);
            int values = TinyDecoder.PictureTokens * Width;
            Session.CopyIn<float>([.. Enumerable.Range(firstPicture * values, prompts * values).Select(i => MathF.Sin(i * 0.7f))], pictures);
            Model.Read(Session, pictures, state);
            return state;
        }

        public GenerationResult Generate(GenerationOptions options, int[][] prompts, Action<int, int>? onToken = null, bool withTrace = false, int firstPicture = 0, ITextDecoder? decoder = null, CancellationToken cancellation = default)
        {
            using var state = State(options, prompts.Length, prompts.Max(p => p.Length), firstPicture, decoder);
            return new Generator(decoder ?? Model, options).Run(Session, state, prompts, onToken, withTrace, cancellation);
        }

        public void Dispose()
        {
            Session.Dispose();
            _loaded.Dispose();
            _backend.Dispose();
        }
    }
}
