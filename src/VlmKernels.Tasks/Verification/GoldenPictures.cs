using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The picture files of a call, prepared by a pipeline.</summary>
internal sealed class GoldenPictures
{
    public GoldenPictures(CallRequest request, ImagePipeline pipeline)
    {
        Pipeline = pipeline;
        var decoder = new SkiaImageDecoder();
        Images = [.. request.Texts("images").Select(path => decoder.DecodeNativeFile(Path.Combine(request.Folder, path), Pipeline.DecodeOptions(applyOrientation: false)))];
    }

    public ImagePipeline Pipeline { get; }

    public NativeImage[] Images { get; }

    /// <summary>Grey levels [b, h, w, 3] after resize and crop.</summary>
    public HostTensor Bytes()
    {
        var (width, height) = Pipeline.OutputSize(Images[0].Width, Images[0].Height);
        var bytes = Levels(width, height);
        return new HostTensor([Images.Length, height, width, 3], Array.ConvertAll(bytes, b => (float)b));
    }

    public Pixels Upload(Session session)
    {
        var (width, height) = Pipeline.OutputSize(Images[0].Width, Images[0].Height);
        var data = session.TakeBytes(Images.Length, height, width, 3);
        var table = session.TakeFloat(3, 256);
        session.CopyIn<byte>(Levels(width, height), data);
        session.CopyIn(Pipeline.ByteTable.Span, table);
        return new Pixels(data, table);
    }

    private byte[] Levels(int width, int height)
    {
        int size = width * height * 3;
        var bytes = new byte[Images.Length * size];
        for (int i = 0; i < Images.Length; i++) Pipeline.Apply(Images[i], bytes.AsSpan(i * size, size));
        return bytes;
    }
}
