using System.Text.Json;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary>Work on pictures that goes into a file of JSON lines and goes on where an earlier run ended.</summary>
internal static class LinesOutput
{
    /// <summary>Does what remains.</summary>
    /// <param name="lines">The file, opened.</param>
    /// <param name="path">Its path.</param>
    /// <param name="pictures">How many there are in all.</param>
    /// <param name="what">The work, for people: <c>captioning</c>.</param>
    /// <param name="run">Does the pictures behind the first ones, pass by pass.</param>
    /// <param name="write">Writes what became of a picture.</param>
    /// <param name="failed">Whether a picture could not be read.</param>
    public static int Save<T>(LinesFile lines, string path, int pictures, string what, Func<int, CancellationToken, IEnumerable<T[]>> run, Action<T, Utf8JsonWriter> write, Func<T, bool> failed)
    {
        int before = lines.Done, unreadable = 0;
        if (before == pictures)
        {
            Terminal.Note($"{path}: an earlier run has finished this; nothing to do");
            return 0;
        }
        if (before > 0) Terminal.Note(Terminal.Text($"going on after {before} pictures of an earlier run"));
        try
        {
            unreadable = Terminal.Cancellable(cancel => Terminal.Track(what, pictures - before, report => Run(cancel, report), "pictures"));
        }
        catch (OperationCanceledException)
        {
            Terminal.Error(Terminal.Text($"stopped after {lines.Done} pictures; the same command goes on from there"));
            return Terminal.Failure;
        }
        if (unreadable > 0) Terminal.Note(Terminal.Text($"{unreadable} pictures could not be read: their lines in {path} say why"));
        return 0;

        int Run(CancellationToken cancel, Action<int> report)
        {
            int count = 0;
            foreach (var batch in run(before, cancel))
            {
                foreach (var item in batch) lines.Add(json => write(item, json));
                lines.Commit();
                count += batch.Count(failed);
                report(lines.Done - before);
            }
            return count;
        }
    }
}
