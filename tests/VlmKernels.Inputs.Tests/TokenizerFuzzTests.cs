using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Damaged tokenizer files: each gives a tokenizer that turns texts into its own ids and back, or a ConfigFormatException.</summary>
public sealed class TokenizerFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int DefaultRuns = 4000, MaxAllocated = 32 << 20;

    private static readonly string[] Texts = ["", "A photo of a  bag's 12 boots, and that's <|endoftext|>all [SEP] <x> q", "é ŁİN Ω 你好 👟\ud800\u0000 &amp;amp;\t<y>", new('a', 500)];

    private readonly string _root = Directory.CreateTempSubdirectory("tokenizers-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void The_files_are_good_before_they_are_damaged()
        => Assert.All(SmallTokenizers.All(), kind => Use(kind.Load(Write(kind))));

    [Fact]
    public async Task A_damaged_file_gives_a_tokenizer_or_one_clear_error()
    {
        var kinds = SmallTokenizers.All();
        string[] folders = [.. kinds.Select(Write)];
        output.WriteLine(await Fuzz.Run("damaged tokenizer", DefaultRuns, MaxAllocated, seed =>
        {
            var random = new Random(seed);
            int which = random.Next(kinds.Count);
            var (name, good) = kinds[which].Files.ElementAt(random.Next(kinds[which].Files.Count));
            string path = Path.Combine(folders[which], name);
            File.WriteAllBytes(path, Damage([.. good], name, [.. kinds[which].Files.Values], random));
            bool read = Loads(kinds[which], folders[which]);
            File.WriteAllBytes(path, good);
            return read;
        }));
    }

    private string Write(SmallTokenizers.Kind kind)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root, kind.Name)).FullName;
        foreach (var (name, bytes) in kind.Files) File.WriteAllBytes(Path.Combine(folder, name), bytes);
        return folder;
    }

    private static byte[] Damage(byte[] bytes, string name, byte[][] others, Random random)
    {
        bool json = name.EndsWith(".json", StringComparison.Ordinal);
        for (int count = random.Next(1, 4); count > 0 && bytes.Length > 0; count--)
        {
            bytes = json && random.Next(4) > 0 ? JsonDamage.Apply(bytes, random) : ByteDamage.Apply(bytes, others, random);
        }
        return bytes;
    }

    private static bool Loads(SmallTokenizers.Kind kind, string folder)
    {
        ITokenizer tokenizer;
        try
        {
            tokenizer = kind.Load(folder);
        }
        catch (ConfigFormatException e)
        {
            Assert.Contains(folder, e.Message, StringComparison.Ordinal);
            return false;
        }
        try
        {
            Use(tokenizer);
            return true;
        }
        catch (ConfigFormatException)
        {
            // A pattern that takes too long, or replacements that make a text too long, show only on a text.
            return false;
        }
    }

    private static void Use(ITokenizer tokenizer)
    {
        Assert.InRange(tokenizer.VocabularySize, 0, int.MaxValue - 1);
        foreach (string text in Texts)
        {
            int[] ids = tokenizer.Encode(text);
            Assert.DoesNotContain(ids, id => id < 0 || id >= tokenizer.VocabularySize);
            tokenizer.Decode(ids, skipSpecialTokens: false, cleanUp: true);
            foreach (int id in ids.Take(3)) Assert.NotNull(tokenizer.Token(id));
        }
    }
}
