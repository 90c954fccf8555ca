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
    public TokenBatch Text(string ids = "input_ids", string mask = "attention_mask", string strings = "text")
    {
        var (shape, values) = Request.Integers(ids);
        byte[] valid = Request.Has(mask) ? Array.ConvertAll(Request.Integers(mask).Values, v => (byte)v) : [];
        var texts = new TokenBatch(Array.ConvertAll(values, v => checked((int)v)), shape[0], shape[1], valid);
        if (Request.Has(strings)) RequireIds(Request.Texts(strings), texts);
        return texts;
    }

    /// <summary>Encoded questions with their padding.</summary>
    public CrossStates Questions()
    {
        bool isOriginal = Request.Has("question_ids");
        var text = isOriginal ? Text("question_ids", "question_mask", "question") : Text(strings: "question");
        var vqa = Models.Vqa();
        var states = vqa.EncodeQuestions(Session, text.All, vqa.Vision.Forward(Session, Pixels()));
        var valid = Session.TakeBytes(text.Count, text.Length);
        Session.CopyIn<byte>(text.Valid, valid);
        return new CrossStates(states, valid);
    }

    private void RequireIds(string[] strings, TokenBatch expected)
    {
        var found = TokenBatch.Pad([.. strings.Select(t => Models.Tokenizer.Encode(t))], Models.Config.Tokens.Pad, expected.Length);
        for (int i = 0; i < found.Ids.Length; i++)
        {
            if (i % expected.Length == 0 || found.Ids[i] == expected.Ids[i]) continue;
            throw new InvalidDataException($"\"{strings[i / expected.Length]}\" gives the ids {string.Join(", ", found.Ids[(i - (i % expected.Length))..][..expected.Length])}");
        }
    }
}
