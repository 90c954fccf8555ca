using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of CLIP goldens that start from picture files and texts, with the pipeline and tokenizer files beside the checkpoint.</summary>
internal sealed class ClipInputCalls(ClipCheckpoint checkpoint, ClipModel model, IBackend backend)
{
    /// <summary>Runs a call; null when its name is not known.</summary>
    public CallResult? Run(string name, CallRequest request) => name switch
    {
        "preprocess_images" => Preprocess(request),
        "tokenize" or "tokenize_max_length" or "tokenize_truncated" => Tokenize(request),
        "zero_shot_classification" => Classify(request),
        _ => null,
    };

    private CallResult Preprocess(CallRequest request)
    {
        var pictures = new GoldenPictures(request, ClipFiles.Pipeline(checkpoint));
        var pixels = pictures.Bytes();
        float[] table = pictures.Pipeline.ByteTable.ToArray();
        var values = new float[pixels.Values.Length];
        for (int i = 0; i < values.Length; i++) values[i] = table[(i % 3 * 256) + (int)pixels.Values[i]];
        var result = new CallResult { Mid = stage => stage == "cropped_u8" ? pixels.ChannelsFirst() : null };
        result.Outputs["pixel_values"] = new HostTensor(pixels.Shape, values).ChannelsFirst();
        result.Facts["image_sizes_wh"] = Pairs([.. pictures.Images.Select(i => (i.Width, i.Height))]);
        result.Facts["resized_wh"] = Pairs([.. pictures.Images.Select(i => pictures.Pipeline.Resize?.TargetSize(i.Width, i.Height) ?? (i.Width, i.Height))]);
        return result;
    }

    private CallResult Tokenize(CallRequest request)
    {
        var texts = new Texts(request, ClipFiles.Tokenizer(checkpoint));
        var result = new CallResult();
        result.Outputs["input_ids"] = texts.Ids;
        result.Outputs["attention_mask"] = texts.Mask;
        result.Lists["input_ids"] = texts.Unpadded;
        return result;
    }

    /// <summary>Grey levels and ids in, probabilities of the texts for each picture out.</summary>
    private CallResult Classify(CallRequest request)
    {
        ClipCalls.CheckActivation(model.Config, request);
        var texts = new Texts(request, ClipFiles.Tokenizer(checkpoint));
        var pictures = new GoldenPictures(request, ClipFiles.Pipeline(checkpoint));
        using var session = new Session(backend);
        using var mark = session.Mark();
        var images = ClipModel.Normalize(session, model.EncodeImages(session, pictures.Upload(session)));
        int[] ids = Array.ConvertAll(texts.Ids.Values, v => (int)v);
        byte[] valid = Array.ConvertAll(texts.Mask.Values, v => (byte)v);
        var labels = ClipModel.Normalize(session, model.EncodeText(session, ids, texts.Ids.Shape[0], texts.Ids.Shape[1], valid));
        var logits = model.Logits(session, images, labels);
        var result = new CallResult();
        result.Outputs["logits_per_image"] = HostTensor.CopyOf(session, logits);
        session.Ops.Softmax(new SoftmaxArgs(logits, logits));
        var probabilities = HostTensor.CopyOf(session, logits);
        result.Outputs["probs"] = probabilities;
        result.Facts["scores"] = probabilities;
        result.Facts["ranking"] = probabilities.Ranking();
        result.Facts["best"] = probabilities.ArgMax();
        return result;
    }

    private static HostTensor Pairs((int Width, int Height)[] sizes) => new([sizes.Length, 2], [.. sizes.SelectMany(s => (float[])[s.Width, s.Height])]);

    private sealed class Texts
    {
        public Texts(CallRequest request, ITokenizer tokenizer)
        {
            string[] texts = request.Texts("texts");
            bool truncates = request.Flag("truncation");
            string padding = request.Option("padding")?.GetString() ?? "longest";
            int? limit = request.Option("max_length")?.GetInt32();
            Unpadded = [.. texts.Select(t => tokenizer.Encode(t))];
            int length = padding switch
            {
                "longest" => Unpadded.Max(ids => ids.Length),
                "max_length" when limit is { } given => given,
                _ => throw new InvalidDataException($"padding {padding} is not known"),
            };
            PaddedIds[] padded = [.. texts.Select(t => tokenizer.EncodePadded(t, length, truncates))];
            Ids = new HostTensor([texts.Length, length], [.. padded.SelectMany(p => p.Ids.Select(id => (float)id))]);
            Mask = new HostTensor([texts.Length, length], [.. padded.SelectMany(p => Enumerable.Range(0, length).Select(i => i < p.Count ? 1f : 0))]);
        }

        public int[][] Unpadded { get; }

        public HostTensor Ids { get; }

        public HostTensor Mask { get; }
    }
}
