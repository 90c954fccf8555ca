using VlmKernels.Inputs;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of BLIP goldens that start from picture files and texts.</summary>
internal sealed class BlipInputCalls(BlipModels models)
{
    /// <summary>Runs a call; null when its name is not known.</summary>
    public CallResult? Run(string name, CallRequest request) => name switch
    {
        "preprocess" => Preprocess(request),
        "tokenize" => Tokenize(request),
        "tokenize_and_decode" => TokenizeAndDecode(request),
        "clean_text" => Clean(request),
        _ => null,
    };

    private CallResult Preprocess(CallRequest request)
    {
        request.Confirm("resample", "bicubic");
        request.Confirm("crop", "False");
        var pictures = new GoldenPictures(request, BlipFiles.Pipeline(models.Checkpoint));
        var pixels = pictures.Bytes();
        if (request.Option("size") is { } size && (size[0].GetInt32(), size[1].GetInt32()) != (pixels.Shape[1], pixels.Shape[2])) throw new InvalidDataException($"pictures become {pixels.Shape[1]} × {pixels.Shape[2]}, not {size}");
        var result = new CallResult();
        result.Outputs["resized_u8"] = pixels;
        result.Outputs["pixel_values"] = Scale(pixels, pictures.Pipeline);
        result.Outputs["pixel_values_torchvision"] = Scale(pixels, ImagePipeline.Blip(pixels.Shape[1]));
        return result;
    }

    private static HostTensor Scale(HostTensor pixels, ImagePipeline pipeline)
    {
        float[] table = pipeline.ByteTable.ToArray(), values = new float[pixels.Values.Length];
        for (int i = 0; i < values.Length; i++) values[i] = table[(i % 3 * 256) + (int)pixels.Values[i]];
        return new HostTensor(pixels.Shape, values).ChannelsFirst();
    }

    private CallResult Tokenize(CallRequest request)
    {
        request.Confirm("padding", "longest");
        var texts = models.Text.Pad([.. request.Texts("text").Select(t => models.Tokenizer.Encode(t))]);
        var result = new CallResult();
        result.Outputs["input_ids"] = new HostTensor([texts.Count, texts.Length], Array.ConvertAll(texts.Ids, id => (float)id));
        result.Outputs["attention_mask"] = new HostTensor([texts.Count, texts.Length], Array.ConvertAll(texts.Valid, v => (float)v));
        result.Lists["ids"] = [.. texts.Ids.Chunk(texts.Length)];
        return result;
    }

    private CallResult TokenizeAndDecode(CallRequest request)
    {
        request.Confirm("tokenizer", "tokenizer.json (fast); apostrophes keep their spaces when decoding",
            "slow BertTokenizer of transformers 4.15.0 over vocab.txt with [DEC], [ENC] appended; decoding cleans up apostrophes");
        var tokenizer = models.Tokenizer;
        int[][] ids = [.. request.Texts("text").Select(t => tokenizer.Encode(t))];
        var result = new CallResult();
        result.Lists["ids"] = ids;
        result.Texts["decoded"] = [[.. ids.Select(i => tokenizer.Decode(i))]];
        return result;
    }

    private static CallResult Clean(CallRequest request)
    {
        int words = request.Option("max_words")?.GetInt32() ?? 50;
        string[] texts = request.Texts("text");
        var result = new CallResult();
        result.Texts["pre_question"] = [[.. texts.Select(t => BlipCleaning.Question(t, words))]];
        result.Texts["pre_caption"] = [[.. texts.Select(t => BlipCleaning.Caption(t, words))]];
        result.Texts["pre_caption_5_words"] = [[.. texts.Select(t => BlipCleaning.Caption(t, 5))]];
        return result;
    }
}
