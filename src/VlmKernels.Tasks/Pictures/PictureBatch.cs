namespace VlmKernels.Tasks;

/// <summary>Neighbouring pictures of a list, prepared for the model. Its pixels are valid until the next batch is asked for.</summary>
public sealed class PictureBatch
{
    private readonly byte[] _pixels;
    private readonly int _pictureBytes;
    private readonly List<int> _read = [];
    private readonly List<(int Index, string Reason)> _unreadable = [];
    private string?[] _reasons = [];

    internal PictureBatch(int most, int pictureBytes) => (_pixels, _pictureBytes) = (new byte[checked(most * pictureBytes)], pictureBytes);

    /// <summary>Place of the first picture in the list.</summary>
    public int First { get; private set; }

    /// <summary>Pictures of the list that the batch stands for, readable or not.</summary>
    public int Count => _reasons.Length;

    /// <summary>Places in the list of those that could be read, ascending.</summary>
    public IReadOnlyList<int> Read => _read;

    /// <summary>Places in the list of the others, ascending, with the reason.</summary>
    public IReadOnlyList<(int Index, string Reason)> Unreadable => _unreadable;

    /// <summary>The readable pictures, one behind the other, as <see cref="IPicturePreparer.Prepare"/> wrote them.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels.AsSpan(0, _read.Count * _pictureBytes);

    /// <summary>Pictures that are not done yet.</summary>
    internal int Pending { get; set; }

    internal void Start(int first, int count)
    {
        (First, Pending, _reasons) = (first, count, new string?[count]);
        _read.Clear();
        _unreadable.Clear();
    }

    /// <summary>Room for a picture of the list.</summary>
    internal Span<byte> Room(int index) => _pixels.AsSpan((index - First) * _pictureBytes, _pictureBytes);

    internal void Refuse(int index, string reason) => _reasons[index - First] = reason;

    /// <summary>Sorts readable from unreadable once all are done, and closes the gaps that the unreadable left.</summary>
    internal void Close()
    {
        for (int i = 0; i < _reasons.Length; i++)
        {
            if (_reasons[i] is { } reason)
            {
                _unreadable.Add((First + i, reason));
                continue;
            }
            if (_read.Count < i) Room(First + i).CopyTo(_pixels.AsSpan(_read.Count * _pictureBytes));
            _read.Add(First + i);
        }
    }
}
