using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace VlmKernels.Tasks;

/// <summary>
/// Header of a NumPy file (numpy.lib.format 1.0 to 3.0): magic, version, length, and a Python dictionary of which exactly the three keys of the
/// format are read, each once; nothing is evaluated.
/// </summary>
/// <param name="Shape">Extents, outermost first; none for a single number.</param>
/// <param name="NumberBytes">Bytes of a number: 2, 4 or 8 for float16, float32 or float64.</param>
/// <param name="DataOffset">Bytes before the first number.</param>
internal readonly record struct NpyHeader(IReadOnlyList<int> Shape, int NumberBytes, int DataOffset)
{
    /// <summary>As many bytes as a header of this size may take; NumPy's own take 128.</summary>
    public const int Longest = 4096;

    /// <summary>How many numbers there are; the largest number where that is more than 63 bits count.</summary>
    public long Count => Shape.Contains(0) ? 0 : Shape.Aggregate(1L, (product, extent) => product <= long.MaxValue / extent ? product * extent : long.MaxValue);

    /// <param name="file">The file's first bytes, up to <see cref="Longest"/>.</param>
    /// <param name="path">The file's name, for messages.</param>
    /// <exception cref="InvalidDataException">It is no file of little-endian floats in C order.</exception>
    public static NpyHeader Read(ReadOnlySpan<byte> file, string path)
    {
        ReadOnlySpan<byte> magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];
        if (file.Length < 12 || !file.StartsWith(magic)) throw new InvalidDataException($"{path}: expected a NumPy file, found other bytes");
        int version = file[6];
        if (version is < 1 or > 3) throw new InvalidDataException($"{path}: expected version 1 to 3 of the NumPy format, found {version}");
        int start = version == 1 ? 10 : 12;
        uint length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(file[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (length > file.Length - start) throw new InvalidDataException($"{path}: expected a header of at most {Math.Min(file.Length, Longest) - start} bytes, found {length}");
        var text = new Parser(Encoding.Latin1.GetString(file.Slice(start, (int)length)), path);
        return text.Dictionary() with { DataOffset = start + (int)length };
    }

    private ref struct Parser(string text, string path)
    {
        private int _at;

        public NpyHeader Dictionary()
        {
            string? type = null, order = null;
            IReadOnlyList<int>? shape = null;
            Expect('{');
            while (!Take('}'))
            {
                string key = Quoted();
                Expect(':');
                if (key == "descr" && type is null) type = Quoted();
                else if (key == "fortran_order" && order is null) order = Word();
                else if (key == "shape" && shape is null) shape = Shape();
                else throw Wrong("descr, fortran_order and shape, each once", $"'{Short(key)}'");
                if (Take(',')) continue;
                Expect('}');
                break;
            }
            if (Peek() != '\0' || _at < text.Length) throw Wrong("nothing behind the dictionary", Found());
            if (order is not "False") throw Wrong("fortran_order False (rows one after the other)", order is null ? "nothing" : Short(order));
            return new NpyHeader(shape ?? throw Wrong("a shape", "nothing"), NumberBytes(type), 0);
        }

        private readonly int NumberBytes(string? type) => type switch
        {
            "<f2" => 2,
            "<f4" => 4,
            "<f8" => 8,
            _ => throw Wrong("descr '<f2', '<f4' or '<f8'", type is null ? "nothing" : $"'{Short(type)}'"),
        };

        private List<int> Shape()
        {
            var extents = new List<int>();
            Expect('(');
            while (!Take(')'))
            {
                extents.Add(Number());
                if (Take(',')) continue;
                Expect(')');
                break;
            }
            return extents;
        }

        private int Number()
        {
            string word = Word();
            return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Wrong("a shape of whole numbers", word.Length == 0 ? Found() : Short(word));
        }

        private string Word()
        {
            Peek();
            int start = _at;
            while (_at < text.Length && char.IsAsciiLetterOrDigit(text[_at])) _at++;
            return text[start.._at];
        }

        private string Quoted()
        {
            char quote = Peek();
            int end = quote is '\'' or '"' ? text.IndexOf(quote, _at + 1) : -1;
            if (end < 0) throw Wrong("a text in quotes", Found());
            string quoted = text[(_at + 1)..end];
            _at = end + 1;
            return quoted;
        }

        private void Expect(char c)
        {
            if (!Take(c)) throw Wrong($"{c}", Found());
        }

        private bool Take(char c)
        {
            if (Peek() != c) return false;
            _at++;
            return true;
        }

        private char Peek()
        {
            while (_at < text.Length && (text[_at] is ' ' or '\n')) _at++;
            return _at < text.Length ? text[_at] : '\0';
        }

        private readonly string Found() => _at < text.Length ? Short(text[_at..]) : "its end";

        private static string Short(string text) => text.Length <= 20 ? text : $"{text.AsSpan(0, 20)}…";

        private readonly InvalidDataException Wrong(string expected, string found) => new($"{path}: header: expected {expected}, found {found}");
    }
}
