using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of CLIP goldens: here those that start from pixel values and ids, in <see cref="ClipInputCalls"/> the others.</summary>
internal sealed class ClipCalls : IGoldenCalls
{
    private readonly ClipCheckpoint _checkpoint;
    private readonly LoadedModel<ClipModel> _loaded;
    private readonly IBackend _backend;

    /// <summary>Loads a checkpoint.</summary>
    public ClipCalls(string file, IBackend backend)
    {
        _backend = backend;
        _checkpoint = ClipCheckpoint.Open(file);
        try
        {
            _loaded = _checkpoint.Load(backend);
        }
        catch
        {
            _checkpoint.Dispose();
            throw;
        }
    }

    private ClipModel Model => _loaded.Model;

    public void Dispose()
    {
        _loaded.Dispose();
        _checkpoint.Dispose();
    }

    /// <summary>Runs a call; null when its name is not known.</summary>
    public CallResult? Run(string name, CallRequest request) => name switch
    {
        "image_features" or "image_features_rect" => ImageFeatures(request),
        "text_features" or "text_features_nomask" or "text_features_short" => TextFeatures(request),
        "logits_per_image" or "logits_per_text" => Logits(name, request),
        _ => new ClipInputCalls(_checkpoint, Model, _backend).Run(name, request),
    };

    private CallResult ImageFeatures(CallRequest request)
    {
        CheckActivation(Model.Config, request);
        var taps = new TapRecorder();
        using var session = new Session(_backend, taps);
        using var mark = session.Mark();
        var pixels = PixelsOf(session, request);
        var features = Model.EncodeImages(session, pixels);
        int patch = Model.Config.Vision?.PatchSize ?? 1;
        var result = new CallResult { Mid = new ClipMids(taps, "vision", (pixels.Height / patch, pixels.Width / patch)).Find };
        AddFeatures(session, result, "image_features", features);
        return result;
    }

    private CallResult TextFeatures(CallRequest request)
    {
        CheckActivation(Model.Config, request);
        request.Option("interpolate_pos_encoding"); // concerns pictures
        var taps = new TapRecorder();
        using var session = new Session(_backend, taps);
        using var mark = session.Mark();
        var text = TextsOf(request);
        var features = Encode(session, text);
        var result = new CallResult { Mid = new ClipMids(taps, "text", default).Find };
        AddFeatures(session, result, "text_features", features);
        var pooled = new int[text.Batch];
        Model.Config.Text!.PooledTokens(text.Ids, text.Length, pooled);
        result.Facts["pooled_index"] = new HostTensor([text.Batch], Array.ConvertAll(pooled, p => (float)p));
        return result;
    }

    private CallResult Logits(string name, CallRequest request)
    {
        CheckActivation(Model.Config, request);
        using var session = new Session(_backend);
        using var mark = session.Mark();
        var images = ClipModel.Normalize(session, Model.EncodeImages(session, PixelsOf(session, request)));
        var texts = ClipModel.Normalize(session, Encode(session, TextsOf(request)));
        var logits = HostTensor.CopyOf(session, name == "logits_per_image" ? Model.Logits(session, images, texts) : Model.Logits(session, texts, images));
        var result = new CallResult();
        result.Outputs[name] = logits;
        result.Facts["argmax"] = logits.ArgMax();
        return result;
    }

    private static void AddFeatures(Session session, CallResult result, string name, Tensor features)
    {
        result.Outputs[name] = HostTensor.CopyOf(session, features);
        result.Outputs[name + "_norm"] = HostTensor.CopyOf(session, ClipModel.Normalize(session, features));
    }

    private Tensor Encode(Session session, TokenIds text) => Model.EncodeText(session, text.Ids, text.Batch, text.Length, text.AttentionMask);

    /// <summary>Goldens hold channels first. A size of its own must be asked for, as the reference must be.</summary>
    private Pixels PixelsOf(Session session, CallRequest request)
    {
        var values = request.Floats("pixel_values").ChannelsLast();
        int height = values.Shape[1], width = values.Shape[2], size = Model.Config.ImageSize;
        bool interpolates = request.Flag("interpolate_pos_encoding");
        if (interpolates && Model.Config.Vision?.Resizing != PositionResizing.AtRun) throw new InvalidDataException("interpolate_pos_encoding is asked for, but this layout does not resample at run time");
        if (!interpolates && (height != size || width != size)) throw new InvalidDataException($"pictures are {height} × {width}, but the checkpoint's configuration says {size}");
        var data = session.TakeFloat(values.Shape);
        session.CopyIn<float>(values.Values, data);
        return new Pixels(data);
    }

    private static TokenIds TextsOf(CallRequest request)
    {
        var (shape, ids) = request.Integers("input_ids");
        byte[] mask = request.Has("attention_mask") ? Array.ConvertAll(request.Integers("attention_mask").Values, v => (byte)v) : [];
        return new TokenIds(Array.ConvertAll(ids, v => checked((int)v)), shape[0], shape[1], mask);
    }

    /// <summary>The tensors do not tell the activation, so what was recognised is checked.</summary>
    internal static void CheckActivation(ClipConfig config, CallRequest request)
    {
        if (request.Option("activation")?.GetString() is not { } name) return;
        Activation? expected = name switch { "quick_gelu" => Activation.QuickGelu, "gelu" => Activation.Gelu, _ => null };
        var (vision, text) = (config.Vision?.Block.Activation, config.Text?.Block.Activation);
        if (expected is null) throw new InvalidDataException($"activation {name} is not known");
        if ((vision ?? expected) != expected || (text ?? expected) != expected) throw new InvalidDataException($"the reference uses {name}, but the checkpoint was recognised as {vision ?? text}");
    }

    private sealed record TokenIds(int[] Ids, int Batch, int Length, byte[] AttentionMask);
}
