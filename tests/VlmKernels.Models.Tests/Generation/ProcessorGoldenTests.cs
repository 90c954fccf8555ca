using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>The golden tables of logits processors and length penalties (transformers 5.23), and sampling replayed from stored logits and draws (transformers 4.15).</summary>
public sealed class ProcessorGoldenTests
{
    private static readonly string Numerics = Fixtures.Find("inputs/numerics").First(), Sample = Fixtures.Find("blip/blip-orig-sample").First();
    private static readonly JsonElement Table = Golden(Numerics), Samples = Golden(Sample);

    public static IEnumerable<TheoryDataRow<int, string>> Processors =>
        from call in Table.GetProperty("calls").EnumerateArray().Select((c, i) => (Call: c, Index: i))
        where call.Call.GetProperty("outputs").TryGetProperty("scores", out _)
        select new TheoryDataRow<int, string>(call.Index, call.Call.GetProperty("name").GetString()!);

    public static IEnumerable<TheoryDataRow<string>> Draws => Samples.GetProperty("calls").EnumerateArray().Select(c => c.GetProperty("name").GetString()!)
        .Where(n => n.StartsWith("sample", StringComparison.Ordinal)).Select(n => new TheoryDataRow<string>(n));

    [Theory, MemberData(nameof(Processors))]
    public void A_processor_gives_the_golden_scores(int index, string name)
    {
        var tensors = new GoldenTensors(Path.Combine(Numerics, "golden.safetensors"));
        var call = Table.GetProperty("calls")[index];
        float[] found = tensors.Floats("in.gen_logits"), expected = tensors.Floats(call.GetProperty("outputs").GetProperty("scores").GetString()!);
        int[] ids = tensors.Integers("in.gen_ids");
        int rows = tensors.Shape("in.gen_logits")[0], vocabulary = found.Length / rows, length = ids.Length / rows;
        for (int r = 0; r < rows; r++) Apply(name, call.GetProperty("options"), found.AsSpan(r * vocabulary, vocabulary), ids.AsSpan(r * length, length));
        for (int i = 0; i < found.Length; i++)
        {
            if (float.IsNegativeInfinity(expected[i]) || expected[i] < -1e29f) Assert.True(float.IsNegativeInfinity(found[i]), $"[{i}] is {found[i]}, expected −∞");
            else Assert.Equal(expected[i], found[i], 1e-6f * Math.Max(1, Math.Abs(expected[i])));
        }
    }

    [Fact]
    public void A_length_penalty_divides_as_the_golden_table_says()
    {
        foreach (var row in Table.GetProperty("beam_length_penalty").EnumerateArray())
        {
            int length = row.GetProperty("len").GetInt32();
            float sum = row.GetProperty("sum_logprobs").GetSingle();
            var options = new GenerationOptions { Mode = GenerationMode.Beam, EndToken = 1, LengthPenalty = row.GetProperty("length_penalty").GetSingle(), MaxLength = length + 1 };
            // The prompt is what the convention counts; the next token ends the row.
            var search = new BeamSearch(options, Enumerable.Repeat(0, length).ToArray(), length + 1, 4);
            search.Step([float.NegativeInfinity, sum, sum - 90, float.NegativeInfinity], new int[1], new int[1]);
            float expected = row.GetProperty("score").GetSingle();
            Assert.Equal(expected, search.Result(0).First().Score!.Value, 1e-5f * Math.Max(1, Math.Abs(expected)));
        }
    }

    [Theory, MemberData(nameof(Draws))]
    public void Sampling_replayed_from_stored_logits_gives_the_golden_distribution_and_tokens(string name)
    {
        var tensors = new GoldenTensors(Path.Combine(Sample, "golden.safetensors"));
        var call = Samples.GetProperty("calls").EnumerateArray().First(c => c.GetProperty("name").GetString() == name);
        float[] logits = tensors.Floats($"mid.{name}.raw_logits"), noise = tensors.Floats($"mid.{name}.exponential_noise"), uniforms = tensors.Floats($"mid.{name}.uniform_by_id");
        float[] expected = tensors.Floats($"out.{name}.probabilities");
        int[] tokens = tensors.Integers($"out.{name}.tokens"), prompt = [.. call.GetProperty("expect").GetProperty("prompt_ids").EnumerateArray().Select(e => e.GetInt32())];
        int steps = tensors.Shape($"mid.{name}.raw_logits")[0], batch = tokens.Length / steps, vocabulary = logits.Length / tokens.Length;
        var options = Options(call.GetProperty("options"));
        var (rules, filters) = (new LogitRules(options, vocabulary), new SamplingFilters(vocabulary));
        for (int b = 0; b < batch; b++)
        {
            List<int> row = [.. prompt];
            for (int step = 0; step < steps; step++)
            {
                int at = (step * batch) + b;
                float[] scores = logits[(at * vocabulary)..((at + 1) * vocabulary)];
                rules.Apply(scores, row.ToArray(), prompt.Length, options.MaxLength);
                filters.Apply(scores, options);
                Assert.Equal(tokens[at], Sampler.Draw(scores, Distribution.LogSum(scores), uniforms[at]));
                Distribution.Softmax(scores);
                for (int i = 0; i < vocabulary; i++) Assert.Equal(expected[(at * vocabulary) + i], scores[i], 1e-4f);
                Assert.Equal(tokens[at], Sampler.Draw(scores, noise.AsSpan(at * vocabulary, vocabulary)));
                row.Add(row.Skip(prompt.Length).Contains(options.EndToken) ? options.PadToken : tokens[at]);
            }
        }
    }

    private static GenerationOptions Options(JsonElement o) => new()
    {
        Mode = GenerationMode.Sample,
        EndToken = 4,
        RepetitionPenalty = o.GetProperty("repetition_penalty").GetSingle(),
        TopK = o.GetProperty("top_k").GetInt32(),
        TopP = o.GetProperty("top_p").GetSingle(),
        Temperature = o.GetProperty("temperature").GetSingle(),
        MinLength = o.GetProperty("min_length").GetInt32(),
        MaxLength = o.GetProperty("max_length").GetInt32(),
    };

    private static void Apply(string name, JsonElement o, Span<float> scores, ReadOnlySpan<int> row)
    {
        var filters = new SamplingFilters(scores.Length);
        var options = new GenerationOptions { EndToken = 3 };
        switch (name)
        {
            case "top_k": filters.TopK(scores, o.GetProperty("top_k").GetInt32()); break;
            case "top_p": filters.TopP(scores, o.GetProperty("top_p").GetSingle(), o.TryGetProperty("min_tokens_to_keep", out var fewest) ? fewest.GetInt32() : 1); break;
            case "min_p": SamplingFilters.MinP(scores, o.GetProperty("min_p").GetSingle()); break;
            case "typical": filters.Typical(scores, o.GetProperty("mass").GetSingle()); break;
            case "temperature": SamplingFilters.Temperature(scores, o.GetProperty("temperature").GetSingle()); break;
            case "repetition_penalty": Rules(scores, row, options with { RepetitionPenalty = o.GetProperty("penalty").GetSingle() }); break;
            case "no_repeat_ngram": Rules(scores, row, options with { NoRepeatNgram = o.GetProperty("ngram_size").GetInt32() }); break;
            case "min_length": Rules(scores, row, options with { MinLength = o.GetProperty("min_length").GetInt32(), EndToken = o.GetProperty("eos_token_id").GetInt32() }); break;
            default: Assert.Fail($"golden.json has a processor {name} that no test knows"); break;
        }
    }

    private static void Rules(Span<float> scores, ReadOnlySpan<int> row, GenerationOptions options) => new LogitRules(options, scores.Length).Apply(scores, row, row.Length, int.MaxValue);

    private static JsonElement Golden(string folder) => JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json"))).RootElement;
}
