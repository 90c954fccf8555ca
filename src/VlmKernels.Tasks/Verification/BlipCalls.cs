using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of BLIP goldens: here the image tower; <see cref="BlipTextCalls"/>, <see cref="BlipDecodeCalls"/> and <see cref="BlipInputCalls"/> have the others.</summary>
internal sealed class BlipCalls(GoldenCase golden, string file, IBackend backend) : IGoldenCalls
{
    private readonly BlipModels _models = new(golden, file, backend);

    /// <summary>Runs a call; null when its name is not known. Names may end in what is special about a call.</summary>
    public CallResult? Run(string name, CallRequest request)
    {
        if (name.StartsWith("image_features", StringComparison.Ordinal)) return ImageFeatures(request);
        if (name == "features_image") return ImageFeatures(request);
        if (name.StartsWith("position_table", StringComparison.Ordinal)) return Positions(request);
        return new BlipInputCalls(_models).Run(name, request) ?? new BlipTextCalls(_models).Run(name, request) ?? new BlipDecodeCalls(_models, golden).Run(name, request);
    }

    public void Dispose() => _models.Dispose();

    private CallResult ImageFeatures(CallRequest request)
    {
        var call = new BlipCall(_models, request);
        using var session = call.Session;
        var pixels = call.Pixels();
        var tower = _models.Vision(_models.LoadSize(pixels.Width));
        var tokens = tower.Forward(session, pixels);
        call.Result.Outputs["last_hidden_state"] = HostTensor.CopyOf(session, tokens);
        call.Result.Outputs["features"] = call.Result.Outputs["last_hidden_state"];
        call.Result.Outputs["pooler_output"] = HostTensor.CopyOf(session, tower.Pool(session, tokens));
        return call.Result;
    }

    /// <summary>The positions for pictures of some size, shown while such a picture is encoded.</summary>
    private CallResult Positions(CallRequest request)
    {
        int height = request.Whole(request.Has("height") ? "height" : "image_size"), width = request.Whole(request.Has("width") ? "width" : "image_size");
        var call = new BlipCall(_models, request);
        using var session = call.Session;
        var blank = session.TakeFloat(1, height, width, 3);
        session.CopyIn<float>(new float[height * width * 3], blank);
        _models.Vision(_models.LoadSize(width)).Forward(session, new Pixels(blank));
        var table = call.Taps["vision.positions"]!;
        call.Result.Outputs["table"] = table with { Shape = [1, .. table.Shape] };
        return call.Result;
    }
}
