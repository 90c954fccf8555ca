using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>
/// The calls of BLIP goldens that draw tokens. The reference's random numbers are given, once as it uses them and twice as one uniform number for
/// each token; all three must draw the same. Rows that have ended go on with padding, as in the reference.
/// </summary>
internal sealed class BlipSampleCalls(BlipModels models, GoldenCase golden)
{
    public CallResult Run(string name, CallRequest request)
    {
        request.Confirm("sample", "True");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var captioner = models.Captioner();
        var images = captioner.Vision.Forward(session, call.Pixels());
        int[] prompt = models.Text.CaptionPrompt(request.Texts("prompt")[0]);
        var options = Options(request, captioner.Config);
        var replay = new Replay(captioner.Decoder, options, golden, name, images.Shape[0], prompt);
        replay.Run(session, images);
        replay.Fill(call);
        int[][] rows = replay.Rows;
        call.Result.Lists["ids"] = rows;
        call.Result.Lists["prompt_ids"] = [prompt];
        call.Result.Outputs["sequences"] = new HostTensor([rows.Length, rows[0].Length], [.. rows.SelectMany(r => r.Select(id => (float)id))]);
        call.Result.Texts["captions"] = [[.. rows.Select(models.Text.DecodeCaption)]];
        return call.Result;
    }

    private static GenerationOptions Options(CallRequest request, BlipConfig config)
    {
        float Number(string name) => request.Option(name)?.GetSingle() ?? throw new InvalidDataException($"{name} is missing");
        return config.WithTokens(config.Conventions.Samples) with
        {
            RepetitionPenalty = Number("repetition_penalty"),
            TopK = (int)Number("top_k"),
            TopP = Number("top_p"),
            Temperature = Number("temperature"),
            MinLength = (int)Number("min_length"),
            MaxLength = (int)Number("max_length"),
        };
    }

    private sealed class Replay
    {
        private readonly MedDecoder _decoder;
        private readonly GenerationOptions _options;
        private readonly LogitRules _rules;
        private readonly SamplingFilters _filters;
        private readonly HostTensor _noise, _byId, _byProbability;
        private readonly List<int>[] _rows;
        private readonly bool[] _hasEnded;
        private readonly int[] _prompt;
        private readonly List<float> _raw = [], _probabilities = [], _drawn = [];
        private double _distance = double.PositiveInfinity;
        private int _step;

        public Replay(MedDecoder decoder, GenerationOptions options, GoldenCase golden, string name, int rows, int[] prompt)
        {
            (_decoder, _options, _prompt) = (decoder, options, prompt);
            (_rules, _filters) = (new LogitRules(options, decoder.Vocabulary), new SamplingFilters(decoder.Vocabulary));
            HostTensor Given(string what) => golden.Floats($"mid.{name}.{what}");
            (_noise, _byId, _byProbability) = (Given("exponential_noise"), Given("uniform_by_id"), Given("uniform_by_probability"));
            (_rows, _hasEnded) = ([.. Enumerable.Range(0, rows).Select(_ => prompt.ToList())], new bool[rows]);
        }

        public int[][] Rows => [.. _rows.Select(r => r.ToArray())];

        public void Run(Session s, Tensor images)
        {
            using var state = _decoder.CreateState(s, _rows.Length, 1, _options.MaxLength);
            _decoder.LookAt(s, state, images);
            int[] prompts = [.. _rows.SelectMany(r => r)], lengths = [.. _rows.Select(r => r.Count)];
            for (; !_hasEnded.All(e => e) && _rows[0].Count < _options.MaxLength; _step++)
            {
                using var mark = s.Mark();
                var ids = _step == 0 ? state.PutPrompts(s, prompts, lengths) : state.PutTokens(s, [.. _rows.Select(r => r[^1])]);
                float[] logits = HostTensor.CopyOf(s, _decoder.Logits(s, ids, state)).Values;
                _raw.AddRange(logits);
                for (int r = 0; r < _rows.Length; r++) Choose(r, logits.AsSpan(r * _decoder.Vocabulary, _decoder.Vocabulary));
            }
        }

        public void Fill(BlipCall call)
        {
            int rows = _rows.Length, vocabulary = _decoder.Vocabulary;
            call.Mids.Own["raw_logits"] = new HostTensor([_step, rows, vocabulary], [.. _raw]);
            (call.Mids.Own["exponential_noise"], call.Mids.Own["uniform_by_id"], call.Mids.Own["uniform_by_probability"]) = (_noise, _byId, _byProbability);
            call.Result.Outputs["probabilities"] = new HostTensor([_step, rows, vocabulary], [.. _probabilities]);
            call.Result.Outputs["tokens"] = new HostTensor([_step, rows], [.. _drawn]);
            call.Result.Facts["nucleus_distance"] = new HostTensor([], [(float)_distance]);
        }

        private void Choose(int row, Span<float> scores)
        {
            _rules.Apply(scores, _rows[row].ToArray(), _prompt.Length, _options.MaxLength);
            if (!_hasEnded[row]) _distance = Math.Min(_distance, NucleusDistance(scores));
            _filters.Apply(scores, _options);
            float[] probabilities = Softmax(scores);
            _probabilities.AddRange(probabilities);
            int token = Draw(row, scores, probabilities);
            _drawn.Add(token);
            _rows[row].Add(_hasEnded[row] ? _options.PadToken : token);
            _hasEnded[row] |= token == _options.EndToken;
        }

        private int Draw(int row, Span<float> scores, float[] probabilities)
        {
            int at = (_step * _rows.Length) + row, vocabulary = _decoder.Vocabulary;
            int token = Sampler.Draw(probabilities, _noise.Values.AsSpan(at * vocabulary, vocabulary));
            int[] order = [.. Enumerable.Range(0, vocabulary).OrderByDescending(i => probabilities[i]).ThenBy(i => i)];
            float[] byNumber = scores.ToArray(), sorted = [.. order.Select(i => byNumber[i])];
            double total = Distribution.LogSum(scores);
            int byId = Sampler.Draw(byNumber, total, _byId.Values[at]), byProbability = order[Sampler.Draw(sorted, total, _byProbability.Values[at])];
            if (byId == token && byProbability == token) return token;
            throw new InvalidDataException($"step {_step}, row {row}: noise draws {token}, uniform numbers draw {byId} and {byProbability}");
        }

        /// <summary>How near a cumulative probability comes to the border of the nucleus.</summary>
        private double NucleusDistance(ReadOnlySpan<float> scores)
        {
            float[] likeliest = scores.ToArray();
            SamplingFilters.Temperature(likeliest, _options.Temperature);
            new SamplingFilters(likeliest.Length).TopK(likeliest, _options.TopK);
            double sum = 0, nearest = double.PositiveInfinity;
            foreach (float p in Softmax(likeliest).OrderDescending())
            {
                sum += p;
                nearest = Math.Min(nearest, Math.Abs(sum - _options.TopP));
            }
            return nearest;
        }

        private static float[] Softmax(ReadOnlySpan<float> scores)
        {
            double largest = double.NegativeInfinity;
            foreach (float v in scores) largest = Math.Max(largest, v);
            double[] powers = [.. scores.ToArray().Select(v => Math.Exp(v - largest))];
            double total = powers.Sum();
            return Array.ConvertAll(powers, p => (float)(p / total));
        }
    }
}
