namespace VlmKernels.Tasks;

/// <summary>
/// A shard's files while they grow. Whatever moment the process ends at, the next one goes on from <see cref="RunFile"/>:
/// <list type="number">
/// <item>rows and errors are appended to partial files and flushed, then the run file is replaced: work behind its counts is cut off and done again;</item>
/// <item>at the end metadata are written anew and renamed, then the header of the rows is written and they are renamed: until then all this is repeated;</item>
/// <item>once the rows have their name only the errors are left to be renamed, and the run file to say so.</item>
/// </list>
/// </summary>
internal sealed class EmbedOutput : IDisposable
{
    private readonly EmbedFiles _files;
    private readonly FileStream? _lock;
    private RunFile _run;
    private RowFile? _rows;
    private ErrorFile? _errors;

    private EmbedOutput(EmbedFiles files, FileStream? held, RunFile run) => (_files, _lock, _run) = (files, held, run);

    /// <summary>Inputs of the shard that are done and on the disk.</summary>
    public int Done => _run.Done;

    /// <summary>Rows among them.</summary>
    public int Rows => _run.Rows;

    public bool Finished => _run.Finished;

    /// <summary>The files that a finished run has.</summary>
    public IReadOnlyList<string> FinalFiles => [_files.Rows, _files.Metadata, .. File.Exists(_files.Errors) ? [_files.Errors] : Array.Empty<string>(), _files.Run];

    /// <summary>Begins, or goes on where an earlier run ended.</summary>
    /// <exception cref="ArgumentException">The earlier run had other settings.</exception>
    /// <exception cref="InvalidDataException">Files of the earlier run are damaged or missing.</exception>
    /// <exception cref="IOException">There are files that no run accounts for, another process is at work on the shard, or a file cannot be written.</exception>
    public static EmbedOutput Open(EmbedOptions options, int width, int count, IReadOnlyDictionary<string, string> settings)
    {
        var files = new EmbedFiles(options.Output, options.Texts, options.Format, options.Shard.Index);
        // What is finished is only looked at, also where nothing can be written.
        if (!options.Overwrite && File.Exists(files.Run) && RunFile.Read(files.Run) is { Finished: true } run)
        {
            run.Require(settings, files.Run);
            var finished = new EmbedOutput(files, null, run);
            finished.OpenFiles(options, width, count);
            return finished;
        }
        if (File.Exists(options.Output)) throw new ArgumentException($"--output: expected a folder, found the file {options.Output}");
        files.MakeFolders();
        var held = ExclusiveFile.Open(files.Lock, FileAccess.Write, $"shard {options.Shard.Index} of {options.Output}");
        try
        {
            if (options.Overwrite) EmbedFiles.Delete(options.Output, options.Shard.Index);
            var output = new EmbedOutput(files, held, Begin(files, settings));
            output.OpenFiles(options, width, count);
            return output;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public void Append(ReadOnlySpan<float> rows) => _rows!.Append(rows);

    public void Refuse(int index, string input, string reason) => _errors!.Add(index, input, reason);

    /// <summary>Puts all that was appended on the disk.</summary>
    /// <param name="done">Inputs of the shard that it stands for.</param>
    public void Commit(int done)
    {
        _rows!.Flush();
        _errors!.Flush();
        Save(_run with { Done = done, Rows = _rows.Rows, ErrorBytes = _errors.Bytes });
    }

    /// <summary>Gives all files their names.</summary>
    /// <param name="column">What the metadata's column is called.</param>
    /// <param name="inputs">All inputs.</param>
    /// <param name="first">The first one of the shard.</param>
    /// <param name="count">How many belong to it.</param>
    public void Finish(string column, IReadOnlyList<string> inputs, int first, int count)
    {
        string errors = EmbedFiles.Partial(_files.Errors);
        if (_rows is not null)
        {
            _errors!.Dispose();
            var refused = ErrorFile.Indices(errors);
            string metadata = EmbedFiles.Partial(_files.Metadata);
            MetadataFile.Write(metadata, column, Enumerable.Range(first, count).Where(i => !refused.Contains(i)).Select(i => inputs[i]));
            File.Move(metadata, _files.Metadata, overwrite: true);
            _rows.Finish();
            _rows.Dispose();
            File.Move(EmbedFiles.Partial(_files.Rows), _files.Rows);
        }
        if (_run.ErrorBytes == 0) File.Delete(errors);
        else if (File.Exists(errors)) File.Move(errors, _files.Errors);
        Save(_run with { Finished = true });
        // Only now: whoever waits for the lock in between finds a finished run behind it, whatever file it locked.
        File.Delete(_files.Lock);
    }

    public void Dispose()
    {
        try
        {
            _rows?.Dispose();
            _errors?.Dispose();
        }
        finally
        {
            _lock?.Dispose();
        }
    }

    private static RunFile Begin(EmbedFiles files, IReadOnlyDictionary<string, string> settings)
    {
        if (File.Exists(files.Run))
        {
            var run = RunFile.Read(files.Run);
            run.Require(settings, files.Run);
            return run;
        }
        files.RequireNone();
        var fresh = new RunFile(settings);
        fresh.Write(files.Run, EmbedFiles.Partial(files.Run));
        return fresh;
    }

    private void OpenFiles(EmbedOptions options, int width, int count)
    {
        if (Finished)
        {
            foreach (string file in (string[])[_files.Rows, _files.Metadata, .. _run.ErrorBytes > 0 ? [_files.Errors] : Array.Empty<string>()])
            {
                if (!File.Exists(file)) throw new InvalidDataException($"{_files.Run} says that the run is finished, but {file} is missing; --overwrite starts anew");
            }
            return;
        }
        // With their final name the rows are complete, and so is all that was to be done before.
        if (File.Exists(_files.Rows))
        {
            if (Done != count) throw new InvalidDataException($"{_files.Run} says that {Done} of {count} inputs are done, but {_files.Rows} exists; --overwrite starts anew");
            return;
        }
        _rows = RowFile.Open(options.Format, EmbedFiles.Partial(_files.Rows), _run.Rows, width, options.Half);
        try
        {
            _errors = new ErrorFile(EmbedFiles.Partial(_files.Errors), _run.ErrorBytes);
        }
        catch
        {
            _rows.Dispose();
            throw;
        }
    }

    private void Save(RunFile run)
    {
        run.Write(_files.Run, EmbedFiles.Partial(_files.Run));
        _run = run;
    }
}
