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
    public static int Save<T>(LinesFile lines, string path, int pictures, string what, Func<int, CancellationToken, IEnumerable<T[]>> run, Action<T, Utf8JsonWriter> write)
    {
        int before = lines.Done;
        if (before == pictures) Terminal.Note($"{path}: an earlier run has finished this; nothing to do");
        else if (before > 0) Terminal.Note(Terminal.Text($"going on after {before} of {pictures} pictures, which an earlier run did"));
        try
        {
            if (before < pictures) Terminal.Cancellable(cancel => Terminal.Track(what, pictures - before, report => Run(cancel, report), "pictures"));
        }
        catch (OperationCanceledException)
        {
            Terminal.Error(Terminal.Text($"stopped after {lines.Done} of {pictures} pictures; the same command goes on from there"));
            return Terminal.Failure;
        }
        if (lines.Errors == 0) return 0;
        Terminal.Note(Terminal.Text($"{lines.Errors} of {pictures} pictures could not be read, as {path} says; --overwrite starts anew and reads them again"));
        return Terminal.Failure;

        int Run(CancellationToken cancel, Action<int> report)
        {
            foreach (var batch in run(before, cancel))
            {
                foreach (var item in batch) lines.Add(json => write(item, json));
                lines.Commit();
                report(lines.Done - before);
            }
            return lines.Done;
        }
    }
}
