using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>One row of a golden table, and the folder it came from.</summary>
public sealed record Row(string Name, JsonElement Json, string Root, string Folder)
{
    public string Text(string key) => Json.GetProperty(key).GetString()!;

    public int Int(string key) => Json.GetProperty(key).GetInt32();

    public string? Optional(string key) => Json.TryGetProperty(key, out JsonElement value) ? value.GetString() : null;

    /// <summary>The path of a data file; the test is skipped, visibly, when the checkout lacks it.</summary>
    public string DataFile(string path)
    {
        string? found = Fixtures.Roots.Prepend(Root).Select(r => Fixtures.Data(r, path)).FirstOrDefault(p => p is not null);
        Assert.SkipWhen(found is null, $"{path} is not in this checkout");
        return found!;
    }

    /// <summary>A tensor of the golden.safetensors beside the table.</summary>
    public T[] Tensor<T>(string name) where T : unmanaged => Golden.Open(Path.Combine(Folder, "golden.safetensors")).Read<T>(name);
}

/// <summary>Rows of golden tables over all fixture roots; the same row in two roots counts once.</summary>
public static class Tables
{
    private static readonly Dictionary<string, Dictionary<string, Row>> Cache = [];

    public static Dictionary<string, Row> Rows(string file, string array, Func<JsonElement, string> name)
    {
        lock (Cache)
        {
            if (Cache.TryGetValue(file + array, out Dictionary<string, Row>? known)) return known;
            var rows = new Dictionary<string, Row>();
            foreach (string root in Fixtures.Roots)
            {
                string path = Path.Combine(root, file);
                if (!File.Exists(path)) continue;
                JsonElement table = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
                if (table.TryGetProperty(array, out JsonElement list)) Add(rows, list, name, root, Path.GetDirectoryName(path)!);
            }
            return Cache[file + array] = rows;
        }
    }

    private static void Add(Dictionary<string, Row> rows, JsonElement list, Func<JsonElement, string> name, string root, string folder)
    {
        var seen = new Dictionary<string, int>();
        foreach (JsonElement json in list.EnumerateArray())
        {
            string key = name(json);
            int repeat = seen[key] = seen.GetValueOrDefault(key) + 1;
            if (repeat > 1) key += $" #{repeat}";
            if (rows.TryGetValue(key, out Row? other))
            {
                if (other.Json.GetRawText() == json.GetRawText()) continue;
                key += $" in {root}";
            }
            rows[key] = new Row(key, json, root, folder);
        }
    }

    public static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

/// <summary>A small safetensors reader for golden files.</summary>
public sealed class Golden
{
    private static readonly Dictionary<string, Golden> Opened = [];
    private readonly byte[] bytes;
    private readonly JsonElement header;
    private readonly int start;

    private Golden(string path)
    {
        bytes = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        header = JsonDocument.Parse(bytes.AsMemory(8, length)).RootElement;
        start = 8 + length;
    }

    public static Golden Open(string path)
    {
        lock (Opened) return Opened.TryGetValue(path, out Golden? golden) ? golden : Opened[path] = new Golden(path);
    }

    public int[] Shape(string name) => [.. header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];

    public T[] Read<T>(string name) where T : unmanaged
    {
        JsonElement offsets = header.GetProperty(name).GetProperty("data_offsets");
        return MemoryMarshal.Cast<byte, T>(bytes.AsSpan(start + offsets[0].GetInt32(), offsets[1].GetInt32() - offsets[0].GetInt32())).ToArray();
    }
}
