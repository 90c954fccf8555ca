using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>Elements: conversion, ranges, and pages that go away and come back.</summary>
public sealed class StoredTensorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Numerics => [.. Fixtures.Find("inputs/numerics/golden.safetensors")];

    [Theory]
    [MemberData(nameof(Numerics))]
    public void All_codes_of_f16_convert_as_the_reference_does(string golden)
    {
        float[] values = AllCodes16(FileDType.F16);
        for (int i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i])) values[i] = 0;
        }
        using JsonDocument table = JsonDocument.Parse(File.ReadAllBytes(Path.ChangeExtension(golden, ".json")));
        JsonElement call = table.RootElement.GetProperty("calls").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "f16_to_f32_all_codes");
        string expected = call.GetProperty("options").GetProperty("sha256_f32_le").GetString()!;
        Assert.Equal(expected, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<float>(values))));
    }

    [Fact]
    public void All_codes_of_f16_convert_as_the_runtime_does()
    {
        float[] values = AllCodes16(FileDType.F16);
        Assert.All(Enumerable.Range(0, 65536), code => Assert.Equal((float)BitConverter.UInt16BitsToHalf((ushort)code), values[code]));
    }

    [Fact]
    public void All_codes_of_bf16_are_the_upper_halves_of_floats()
    {
        float[] values = AllCodes16(FileDType.BF16);
        Assert.All(Enumerable.Range(0, 65536), code => Assert.Equal((uint)code << 16, BitConverter.SingleToUInt32Bits(values[code])));
    }

    [Theory]
    [MemberData(nameof(Numerics))]
    public void All_codes_of_f8_convert_as_the_reference_does(string golden)
    {
        using SafetensorsFile file = SafetensorsFile.Open(golden);
        AssertSame(Floats(file.Tensors["out.f8_e4m3_all_codes"]), AllCodes8(FileDType.F8_E4M3));
        AssertSame(Floats(file.Tensors["out.f8_e5m2_all_codes"]), AllCodes8(FileDType.F8_E5M2));
    }

    [Theory]
    [MemberData(nameof(Numerics))]
    public void Codes_in_the_reference_have_the_values_in_the_reference(string golden)
    {
        using SafetensorsFile file = SafetensorsFile.Open(golden);
        foreach ((string name, FileDType dtype) in new[] { ("f16", FileDType.F16), ("bf16", FileDType.BF16), ("f8_e4m3", FileDType.F8_E4M3), ("f8_e5m2", FileDType.F8_E5M2) })
        {
            long[] bits = Integers(file.Tensors[$"out.{name}_bits"]);
            byte[] codes = [.. bits.SelectMany(b => BitConverter.GetBytes(b).Take(dtype.Size()))];
            AssertSame(Floats(file.Tensors[$"out.{name}_value"]), Floats(dtype, codes));
        }
    }

    [Fact]
    public void Doubles_round_once_to_nearest_even()
    {
        double[] values = [0, -0.0, 1, 0.1, -1e300, 1e-300, double.NaN, double.PositiveInfinity, 1 + Math.ScaleB(1, -24), 1 + Math.ScaleB(3, -24), Math.ScaleB(1, -149), 16777217, 3.14159265358979];
        AssertSame([.. values.Select(v => (float)v)], Floats(FileDType.F64, MemoryMarshal.AsBytes<double>(values).ToArray()));
    }

    [Fact]
    public void Integers_convert_to_floats_and_to_int64()
    {
        AssertIntegers<long>(FileDType.I64, [0, -1, long.MinValue, long.MaxValue, 16777217, 1L << 40]);
        AssertIntegers<int>(FileDType.I32, [0, -1, int.MinValue, int.MaxValue, 16777217]);
        AssertIntegers<short>(FileDType.I16, [0, -1, short.MinValue, short.MaxValue]);
        AssertIntegers<sbyte>(FileDType.I8, [0, -1, sbyte.MinValue, sbyte.MaxValue]);
        AssertIntegers<byte>(FileDType.U8, [0, 1, 128, 255]);
        Assert.Equal([0f, 1, 1, 1], Floats(FileDType.BOOL, [0, 1, 2, 255]));
        Assert.Equal([0L, 1, 1, 1], Read(FileDType.BOOL, [0, 1, 2, 255], Integers));
    }

    [Fact]
    public void A_large_int64_rounds_once()
    {
        // Just above half way between two floats; by way of a double it would become a tie and fall to the even one below.
        long value = (1L << 54) + (1L << 30) + 1;
        Assert.Equal([MathF.ScaleB(1, 54) + MathF.ScaleB(1, 31)], Floats(FileDType.I64, BitConverter.GetBytes(value)));
    }

    [Theory]
    [InlineData(FileDType.F16)]
    [InlineData(FileDType.BF16)]
    [InlineData(FileDType.F64)]
    [InlineData(FileDType.I32)]
    [InlineData(FileDType.F8_E4M3)]
    public void Any_range_reads_what_the_whole_reads(FileDType dtype)
    {
        byte[] bytes = new byte[9001 * dtype.Size()];
        new Random(7).NextBytes(bytes);
        Read(dtype, bytes, tensor =>
        {
            float[] whole = Floats(tensor);
            foreach ((int first, int count) in new[] { (0, 0), (0, 1), (1, 15), (3, 17), (4095, 2), (17, 8200), (9000, 1), (9001, 0) })
            {
                float[] part = new float[count];
                tensor.ReadFloats(first, part);
                AssertSame(whole[first..(first + count)], part);
            }
            return true;
        });
    }

    [Fact]
    public void Ranges_outside_the_tensor_are_refused()
    {
        Read(FileDType.F16, new byte[8], tensor =>
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadFloats(-1, new float[1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadFloats(4, new float[1]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadFloats(0, new float[5]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadFloats(long.MaxValue, new float[2]));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.ReadBytes(8, new byte[2]));
            Assert.Throws<ArgumentException>(() => tensor.ReadBytes(1, new byte[2]));
            Assert.Throws<ArgumentException>(() => tensor.ReadBytes(0, new byte[3]));
            Assert.Throws<InvalidOperationException>(() => tensor.ReadInt64s(0, new long[1]));
            return true;
        });
    }

    [Fact]
    public void A_disposed_file_refuses_to_be_read()
    {
        Handmade.Write(_folder["a.safetensors"], "a");
        StoredTensor tensor;
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["a.safetensors"])) tensor = file.Tensors["a"];
        Assert.Throws<ObjectDisposedException>(() => tensor.ReadFloats(0, new float[4]));
        Assert.Throws<ObjectDisposedException>(tensor.ReleasePages);
    }

    [Fact]
    public void Released_pages_leave_memory_and_come_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "resident pages are counted in /proc");
        const int size = 48 << 20;
        byte[] bytes = new byte[size];
        new Random(3).NextBytes(bytes);
        Read(FileDType.U8, bytes, tensor =>
        {
            byte[] read = new byte[size];
            long before = ResidentFileBytes();
            tensor.ReadBytes(0, read);
            long mapped = ResidentFileBytes();
            tensor.ReleasePages();
            long released = ResidentFileBytes();
            Assert.InRange(mapped - before, size * 3 / 4, long.MaxValue);
            Assert.InRange(mapped - released, size * 3 / 4, long.MaxValue);
            tensor.ReadBytes(0, read);
            Assert.True(read.AsSpan().SequenceEqual(bytes));
            return true;
        });
    }

    private static long ResidentFileBytes() =>
        long.Parse(File.ReadLines("/proc/self/status").Single(l => l.StartsWith("RssFile:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;

    private void AssertIntegers<T>(FileDType dtype, T[] values) where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        byte[] bytes = MemoryMarshal.AsBytes<T>(values).ToArray();
        Assert.Equal(values.Select(v => float.CreateTruncating(v)), Floats(dtype, bytes));
        Assert.Equal(values.Select(v => long.CreateTruncating(v)), Read(dtype, bytes, Integers));
    }

    private static void AssertSame(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            bool same = float.IsNaN(expected[i]) ? float.IsNaN(found[i]) : BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(found[i]);
            Assert.True(same, $"element {i}: expected {expected[i]}, found {found[i]}");
        }
    }

    private float[] AllCodes16(FileDType dtype) => Floats(dtype, [.. Enumerable.Range(0, 65536).SelectMany(code => BitConverter.GetBytes((ushort)code))]);

    private float[] AllCodes8(FileDType dtype) => Floats(dtype, [.. Enumerable.Range(0, 256).Select(code => (byte)code)]);

    private float[] Floats(FileDType dtype, byte[] bytes) => Read(dtype, bytes, Floats);

    private T Read<T>(FileDType dtype, byte[] bytes, Func<StoredTensor, T> read)
    {
        string path = _folder["one.safetensors"];
        SafetensorsWriter.Write(path, [TensorSource.FromBytes("one", dtype, [bytes.Length / dtype.Size()], bytes)]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return read(file.Tensors["one"]);
    }

    private static float[] Floats(StoredTensor tensor)
    {
        float[] values = new float[tensor.ElementCount];
        tensor.ReadFloats(0, values);
        return values;
    }

    private static long[] Integers(StoredTensor tensor)
    {
        long[] values = new long[tensor.ElementCount];
        tensor.ReadInt64s(0, values);
        return values;
    }
}
