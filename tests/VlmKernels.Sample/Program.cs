using System.Globalization;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

// Says which of ten labels fits a picture best: the library's main job in a few lines.
if (args is not [var picture])
{
    Console.Error.WriteLine("usage: VlmKernels.Sample PICTURE");
    return 2;
}
string[] labels = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];

using var backend = Devices.Open();
using var clip = ClipRuntime.Open(ModelCatalog.Resolve("fashion-clip"), backend);
using var session = new Session(backend);
var classifier = new ZeroShotClassifier(clip, session, labels);

var image = new SkiaImageDecoder().DecodeFile(picture, clip.Pipeline.DecodeOptions(applyOrientation: true));
var best = classifier.Classify(session, [image], top: 1)[0][0];
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{best.Label} {100 * best.Probability:F1} %"));
return 0;
