using System.Text.Json;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks.Verification;

/// <summary>The models that the calls of one BLIP golden need: one file loaded as what a call asks for, at the size of its pictures. Each is loaded once.</summary>
internal sealed class BlipModels(GoldenCase golden, string file, IBackend backend) : IDisposable
{
    private readonly Dictionary<int, BlipCheckpoint> _checkpoints = [];
    private readonly Dictionary<(Type, int), IDisposable> _models = [];

    /// <summary>The checkpoint as it is configured.</summary>
    public BlipCheckpoint Checkpoint => At(0);

    public IBackend Backend => backend;

    public BlipConfig Config => Checkpoint.Config;

    /// <summary>transformers resamples positions for the pictures at hand, the original when it loads: then 0 or the pictures' size is asked for.</summary>
    public int LoadSize(int pictureSize) => Checkpoint.IsHuggingFace || pictureSize == Config.Vision.ImageSize ? 0 : pictureSize;

    public BlipCaptioner Captioner(int size = 0) => Get(size, c => c.LoadCaptioner(backend));

    public BlipVqa Vqa(int size = 0) => Get(size, c => c.LoadVqa(backend));

    public BlipMatcher Matcher(int size = 0) => Get(size, c => c.LoadMatcher(backend));

    public BlipNlvr Nlvr(int size = 0) => Get(size, c => c.LoadNlvr(backend));

    public BlipEncoder Encoder(int size = 0) => Get(size, c => c.LoadEncoder(backend));

    public BlipPair Pair(int size = 0) => Get(size, c => c.LoadPair(backend));

    /// <summary>The image tower of whatever the file is.</summary>
    public BlipVisionTower Vision(int size) => Checkpoint.Tasks[0] switch
    {
        BlipTask.Caption => Captioner(size).Vision,
        BlipTask.Answer => Vqa(size).Vision,
        BlipTask.Match => Matcher(size).Encoder.Vision,
        BlipTask.Compare => Nlvr(size).Vision,
        BlipTask.Encode => Encoder(size).Vision,
        _ => Pair(size).Vision,
    };

    /// <summary>The decoder of whatever the file is.</summary>
    public MedDecoder Decoder => Checkpoint.Tasks[0] == BlipTask.Answer ? Vqa().Decoder : Captioner().Decoder;

    public BlipText Text => new(Tokenizer, Config);

    public ITokenizer Tokenizer => BlipFiles.Tokenizer(Checkpoint);

    public void Dispose()
    {
        foreach (var model in _models.Values) model.Dispose();
        foreach (var checkpoint in _checkpoints.Values) checkpoint.Dispose();
    }

    private T Get<T>(int size, Func<BlipCheckpoint, LoadedModel<T>> load) where T : class
    {
        if (!_models.TryGetValue((typeof(T), size), out var model)) _models[(typeof(T), size)] = model = load(At(size));
        return ((LoadedModel<T>)model).Model;
    }

    private BlipCheckpoint At(int size)
    {
        if (!_checkpoints.TryGetValue(size, out var checkpoint)) _checkpoints[size] = checkpoint = BlipCheckpoint.Open(file, Options(size));
        return checkpoint;
    }

    /// <summary>What the original project writes into its code and goldens therefore repeat.</summary>
    private BlipLoadOptions Options(int size)
    {
        var options = new BlipLoadOptions { ImageSize = size > 0 ? size : null };
        if (golden.ModelOptions is not { } model) return options;
        JsonElement vit = model.GetProperty("vit"), ids = model.GetProperty("special_ids");
        int Id(string token) => ids.GetProperty(token).GetInt32();
        return options with
        {
            VisionHeads = vit.GetProperty("num_heads").GetInt32(),
            VisionEpsilon = vit.GetProperty("layer_norm_eps").GetSingle(),
            Tokens = new BlipTokens(Id("[DEC]"), Id("[ENC]"), Id("[SEP]"), Id("[PAD]")),
        };
    }
}
