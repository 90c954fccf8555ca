using System.Globalization;
using Microsoft.Extensions.AI;
using VlmKernels.Extensions.AI;
using VlmKernels.Tasks;

// Orders pictures by how well they fit a text, through the interfaces that vector stores and agents take.
if (args is not [var text, .. { Length: > 0 } pictures])
{
    Console.Error.WriteLine("usage: VlmKernels.Sample.Search TEXT PICTURE…");
    return 2;
}
using var backend = Devices.Open();
using var clip = ClipRuntime.Open(ModelCatalog.Resolve("fashion-clip"), backend);
using var texts = new ClipTextEmbeddingGenerator(clip, backend, "fashion-clip");
using var images = new ClipImageEmbeddingGenerator(clip, backend, "fashion-clip");

var wanted = await texts.GenerateVectorAsync(text);
var found = await images.GenerateAsync(pictures.Select(p => new DataContent(File.ReadAllBytes(p), "image/png") { Name = p }));
foreach (var (picture, cosine) in pictures.Zip(found, (p, e) => (p, Dot(wanted.Span, e.Vector.Span))).OrderByDescending(f => f.Item2))
{
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cosine:F3} {picture}"));
}
return 0;

// Embeddings have length 1: their dot product is the cosine.
static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
{
    float sum = 0;
    for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
    return sum;
}
