using System.Runtime.InteropServices;
using System.Text.Json;

namespace VlmKernels.Testing;

/// <summary>The smallest reader of a safetensors file that a test needs: whole tensors by name. Independent of the reader that ships.</summary>
public sealed class GoldenTensors
{
    private readonly byte[] _file;
    private readonly int _data;
    private readonly JsonElement _header;

    /// <summary>Reads a file.</summary>
    public GoldenTensors(string path)
    {
        _file = File.ReadAllBytes(path);
        int header = checked((int)BitConverter.ToUInt64(_file));
        _data = 8 + header;
        _header = JsonDocument.Parse(_file.AsMemory(8, header)).RootElement;
    }

    /// <summary>Extents of a tensor.</summary>
    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];

    /// <summary>The values of an F32 tensor.</summary>
    public float[] Floats(string name) => Values<float>(name, "F32");

    /// <summary>The values of an I64 tensor.</summary>
    public int[] Integers(string name) => [.. Values<long>(name, "I64").Select(v => (int)v)];

    private T[] Values<T>(string name, string type) where T : unmanaged
    {
        var entry = _header.GetProperty(name);
        if (entry.GetProperty("dtype").GetString() != type) throw new InvalidDataException($"{name} is not {type}");
        int first = entry.GetProperty("data_offsets")[0].GetInt32(), end = entry.GetProperty("data_offsets")[1].GetInt32();
        return MemoryMarshal.Cast<byte, T>(_file.AsSpan(_data + first, end - first)).ToArray();
    }
}
