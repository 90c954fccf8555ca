using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>A BLIP call in progress: its session, what the model shows, and its inputs in the model's form.</summary>
internal sealed class BlipCall
{
    public BlipCall(BlipModels models, CallRequest request)
    {
        (Models, Request, Taps) = (models, request, new TapRecorder());
        Session = new Session(models.Backend, Taps);
        Mids = new BlipMids(Taps);
        Result = new CallResult { Mid = Mids.Find };
    }

    public BlipModels Models { get; }

    public CallRequest Request { get; }

    /// <summary>To be disposed by the call.</summary>
    public Session Session { get; }

    public TapRecorder Taps { get; }

    public BlipMids Mids { get; }

    public CallResult Result { get; }

    /// <summary>Normalised pictures [b, 3, h, w] of the golden as the model takes them; the frames of videos one after another.</summary>
    public Pixels Pixels(string input = "pixel_values")
    {
        var values = Request.Floats(input);
        if (values.Shape.Length == 5) values = values with { Shape = [values.Shape[0] * values.Shape[1], .. values.Shape[2..]] };
        values = values.ChannelsLast();
        int height = values.Shape[1], width = values.Shape[2], size = Models.Config.Vision.ImageSize;
        bool isOther = height != size || width != size, interpolates = Request.Flag("interpolate_pos_encoding");
        if (isOther && !interpolates && Models.Checkpoint.IsHuggingFace) throw new InvalidDataException($"pictures are {height} × {width}, but the checkpoint's configuration says {size}");
        var data = Session.TakeFloat(values.Shape);
        Session.CopyIn<float>(values.Values, data);
        return new Pixels(data);
    }

    /// <summary>The texts of a call as ids; where the golden has the strings, too, they must give these ids, but for a first one that the caller replaces.</summary>
    public Texts Text(string ids = "input_ids", string mask = "attention_mask", string strings = "text")
    {
        var (shape, values) = Request.Integers(ids);
        byte[] valid = Request.Has(mask) ? Array.ConvertAll(Request.Integers(mask).Values, v => (byte)v) : [];
        var texts = new Texts(Array.ConvertAll(values, v => checked((int)v)), shape[0], shape[1], valid);
        if (Request.Has(strings)) RequireIds(Request.Texts(strings), texts);
        return texts;
    }

    /// <summary>Tokenises texts, filled up to the longest or to a length.</summary>
    public static Texts Encode(ITokenizer tokenizer, IReadOnlyList<string> texts, int? length = null, int? first = null)
    {
        int padded = length ?? texts.Max(t => tokenizer.Encode(t).Length);
        PaddedIds[] rows = [.. texts.Select(t => tokenizer.EncodePadded(t, padded))];
        int[] ids = [.. rows.SelectMany(r => r.Ids)];
        for (int i = 0; first is { } id && i < ids.Length; i += padded) ids[i] = id;
        return new Texts(ids, rows.Length, padded, [.. rows.SelectMany(r => Enumerable.Range(0, padded).Select(i => (byte)(i < r.Count ? 1 : 0)))]);
    }

    private void RequireIds(string[] strings, Texts expected)
    {
        var found = Encode(Models.Tokenizer, strings, expected.Length);
        for (int i = 0; i < found.Ids.Length; i++)
        {
            if (i % expected.Length == 0 || found.Ids[i] == expected.Ids[i]) continue;
            throw new InvalidDataException($"\"{strings[i / expected.Length]}\" gives the ids {string.Join(", ", found.Ids[(i - (i % expected.Length))..][..expected.Length])}");
        }
    }

    /// <summary>Texts of one length on the host.</summary>
    public sealed record Texts(int[] Ids, int Batch, int Length, byte[] Valid)
    {
        /// <summary>As a model takes them.</summary>
        public TextIds All => new(Ids, Batch, Length, Valid);

        /// <summary>With another first token.</summary>
        public Texts StartingWith(int id)
        {
            int[] ids = [.. Ids];
            for (int i = 0; i < ids.Length; i += Length) ids[i] = id;
            return this with { Ids = ids };
        }
    }
}
