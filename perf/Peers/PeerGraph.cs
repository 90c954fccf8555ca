using System.Runtime.InteropServices;
using System.Text.Json;

namespace VlmKernels.Perf;

/// <summary>
/// A published architecture as an ONNX graph without weights (see the README beside the graphs). The weights it points to are filled with
/// pseudo-random numbers once and kept in the temporary folder.
/// </summary>
/// <param name="folder">Holds model.onnx and weights.json.</param>
internal sealed class PeerGraph(string folder)
{
    private const int ChunkBytes = 1 << 18;

    /// <summary>Name of the graph: its folder.</summary>
    public string Name { get; } = Path.GetFileName(folder);

    /// <summary>Folder of all peer graphs: perf/peers of the repository, or the one named in VLMKERNELS_PEERS. Null when there is none.</summary>
    public static string? Root()
    {
        if (Environment.GetEnvironmentVariable("VLMKERNELS_PEERS") is { Length: > 0 } named) return named;
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            string peers = Path.Combine(at, "perf", "peers");
            if (Directory.Exists(peers)) return peers;
        }
        return null;
    }

    /// <summary>Puts graph and weights side by side and gives the graph's path.</summary>
    public string Prepare()
    {
        string target = Path.Combine(Path.GetTempPath(), "vlmkernels-peers", Name);
        Directory.CreateDirectory(target);
        using var description = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "weights.json")));
        long length = description.RootElement.GetProperty("bytes").GetInt64();
        string weights = Path.Combine(target, "weights.bin"), graph = Path.Combine(target, "model.onnx");
        if (!File.Exists(weights) || new FileInfo(weights).Length != length) Fill(weights, length, description.RootElement);
        File.Copy(Path.Combine(folder, "model.onnx"), graph, overwrite: true);
        return graph;
    }

    private static void Fill(string path, long length, JsonElement root)
    {
        string unfinished = path + ".tmp";
        using (var file = File.Create(unfinished))
        {
            file.SetLength(length);
            var random = new Random(1);
            foreach (var tensor in root.GetProperty("tensors").EnumerateArray()) Write(file, tensor, random);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>One entry: [name, type, dimensions, offset].</summary>
    private static void Write(FileStream file, JsonElement tensor, Random random)
    {
        string name = tensor[0].GetString()!, type = tensor[1].GetString()!;
        file.Position = tensor[3].GetInt64();
        long count = tensor[2].EnumerateArray().Aggregate(1L, (all, d) => all * d.GetInt64());
        bool bytes = type is "INT8" or "UINT8";
        if (!bytes && type != "FLOAT") throw new NotSupportedException($"{name}: expected FLOAT, INT8 or UINT8, found {type}");
        var chunk = new byte[ChunkBytes];
        for (long left = count * (bytes ? 1 : sizeof(float)); left > 0; left -= ChunkBytes)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(ChunkBytes, left));
            if (bytes) FillBytes(name, part, random);
            else FillFloats(name, MemoryMarshal.Cast<byte, float>(part), random);
            file.Write(part);
        }
    }

    private static void FillBytes(string name, Span<byte> values, Random random)
    {
        if (name.EndsWith("_zero_point", StringComparison.Ordinal)) values.Clear();
        else for (int i = 0; i < values.Length; i++) values[i] = (byte)random.Next(-127, 128);
    }

    private static void FillFloats(string name, Span<float> values, Random random)
    {
        if (name.EndsWith("_scale", StringComparison.Ordinal)) values.Fill(0.002f);
        else for (int i = 0; i < values.Length; i++) values[i] = ((float)random.NextDouble() - 0.5f) * 0.08f;
    }
}
