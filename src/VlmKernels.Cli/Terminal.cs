using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace VlmKernels.Cli;

/// <summary>What the command line prints, and where: results to standard output, progress and errors to standard error.</summary>
internal static partial class Terminal
{
    /// <summary>Exit code of a command that could not do all it was asked for.</summary>
    public const int Failure = 1;

    private const int WidestLine = 10_000;

    private static readonly IAnsiConsole Progress = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Runs a command; what its input caused becomes one line on standard error and exit code 1.</summary>
    public static int Guard(Func<int> run)
    {
        try
        {
            return run();
        }
        catch (OperationCanceledException)
        {
            Error("stopped");
            return Failure;
        }
        catch (Exception e) when (IsInputFault(e))
        {
            Error(Describe(e));
            return Failure;
        }
    }

    /// <summary>What is wrong with a command line, and where the right one is described; nothing on standard output.</summary>
    public static int Reject(ParseResult parsed)
    {
        // The parser puts every choice on a line of its own.
        foreach (string message in parsed.Errors.Select(e => string.Join(' ', e.Message.Split((char[])['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries))).Distinct()) Error(message);
        Error($"see '{(parsed.CommandResult.Command is RootCommand ? Program : $"{Program} {parsed.CommandResult.Command.Name}")} --help'");
        return Failure;
    }

    /// <summary>Refuses what is no file with a message that says what was wanted.</summary>
    public static string ExpectFile(string path, string what)
    {
        if (Directory.Exists(path)) throw new InvalidDataException($"{path}: expected {what}, found a folder");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path}: expected {what}, found nothing");
    }

    /// <summary>The message without the name of a parameter of ours, which says nothing to somebody at a terminal.</summary>
    public static string Describe(Exception e)
        => e is ArgumentException { ParamName: { } name } ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    public static void Error(string message) => WriteError(Clean($"{Program}: {message}", keepLines: true));

    public static void Note(string message) => WriteError(Clean($"note: {message}", keepLines: true));

    /// <summary>A line of results.</summary>
    public static void Line(string text) => Console.Out.WriteLine(Clean(text, keepLines: true));

    /// <summary>A name for a line of results, which a line feed in it must not break in two.</summary>
    public static string Name(string name) => Clean(name, keepLines: false);

    /// <summary>A part of a line of results, shown at once.</summary>
    public static void Part(string text)
    {
        Console.Out.Write(Clean(text, keepLines: false));
        Console.Out.Flush();
    }

    /// <summary>Text for tables and trees, which take markup; longer than <paramref name="most"/> characters, it is cut.</summary>
    public static string Cell(string text, int most = int.MaxValue)
    {
        if (text.Length > most) text = $"{text.AsSpan(0, char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)}…";
        return Markup.Escape(Clean(text, keepLines: false));
    }

    /// <summary>Shows that something goes on while it takes longer than a moment; silent where standard error is no terminal.</summary>
    public static T While<T>(string what, Func<T> run)
    {
        if (Console.IsErrorRedirected) return run();
        return Progress.Status().Spinner(Spinner.Known.Dots).Start(Markup.Escape(what), _ => run());
    }

    /// <summary>
    /// Runs over items with a bar and the time left; silent where standard error is no terminal, or where the items themselves write to the
    /// terminal that the bar would be on.
    /// </summary>
    public static void ForEach<T>(string what, IReadOnlyCollection<T> items, bool prints, Action<T> run)
    {
        bool silent = items.Count < 2 || (prints && !Console.IsOutputRedirected);
        Track(what, silent ? 0 : items.Count, report =>
        {
            int done = 0;
            foreach (var item in items)
            {
                run(item);
                report(++done);
            }
            return done;
        });
    }

    /// <summary>Runs work that reports how many of <paramref name="total"/> items are done, with a bar and the time left; 0 = no bar.</summary>
    /// <param name="what">The work.</param>
    /// <param name="total">Number of items.</param>
    /// <param name="run">Does the work.</param>
    /// <param name="unit">What the items are: shows how many a second are done, and where standard error is no terminal prints that now and then.</param>
    public static T Track<T>(string what, int total, Func<Action<int>, T> run, string? unit = null)
    {
        if (total == 0) return run(_ => { });
        if (Console.IsErrorRedirected) return run(unit is null ? _ => { } : new ProgressLines(what, total, unit).Report);
        ProgressColumn[] columns = [new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), .. unit is null ? [] : new ProgressColumn[] { new RateColumn(unit) }, new RemainingTimeColumn()];
        return Progress.Progress().AutoClear(true).Columns(columns).Start(context =>
        {
            var task = context.AddTask(Markup.Escape(what), maxValue: total);
            return run(done => task.Value = done);
        });
    }

    /// <summary>Runs work that Ctrl-C and a request to end (SIGTERM) stop at the next good moment, and the second time at once.</summary>
    public static T Cancellable<T>(Func<CancellationToken, T> run)
    {
        using var source = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return run(source.Token);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !source.IsCancellationRequested;
            source.Cancel();
        }
    }

    /// <summary>Writes one JSON value and a line end.</summary>
    public static void Json(Action<Utf8JsonWriter> write, bool indented)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = indented, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) write(json);
        Console.Out.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>A table without frame, for terminals and pipes alike.</summary>
    public static Table Table(params string[] columns)
    {
        var table = new Table().NoBorder();
        foreach (string column in columns) table.AddColumn(new TableColumn($"[bold]{Cell(column)}[/]") { NoWrap = true });
        return table;
    }

    /// <summary>Prints as wide as needed, without blanks at line ends: what a narrow terminal folds stays whole when it is copied.</summary>
    public static void Print(IRenderable what)
    {
        var terminal = AnsiConsole.Profile.Capabilities;
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        // Without enrichers, which take the output of build servers for a terminal even where it goes to a file.
        bool colours = terminal.Ansi && !Console.IsOutputRedirected;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = colours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colours ? (ColorSystemSupport)terminal.ColorSystem : ColorSystemSupport.NoColors,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = WidestLine;
        console.Write(what);
        foreach (string line in text.ToString().TrimEnd('\n').Split('\n')) Console.Out.WriteLine(line.TrimEnd());
    }

    /// <summary>A terminal that shows the cursor again: an interrupted spinner leaves it hidden.</summary>
    public static void RestoreCursor()
    {
        if (!Console.IsErrorRedirected) Progress.Cursor.Show();
    }

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Bytes in the largest unit that keeps a digit before the point.</summary>
    public static string Bytes(double bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        int unit = 0;
        for (; bytes >= 1024 && unit < units.Length - 1; unit++) bytes /= 1024;
        return unit == 0 ? Text($"{bytes:F0} B") : Text($"{bytes:F1} {units[unit]}");
    }

    /// <summary>
    /// Without the characters that steer a terminal: names and texts come from files, and a file must not move the cursor, set titles or turn the
    /// order of letters round. Everything that is printed passes here, JSON excepted: its encoder
    /// escapes control characters.
    /// </summary>
    private static string Clean(string text, bool keepLines)
    {
        return text.Any(Steers) ? string.Concat(text.Select(c => Steers(c) ? '\uFFFD' : c)) : text;

        bool Steers(char c) => (char.IsControl(c) && !(keepLines && c == '\n')) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
    }

    /// <summary>A line for people; above a bar or spinner that is being drawn.</summary>
    private static void WriteError(string line)
    {
        if (Console.IsErrorRedirected) Console.Error.WriteLine(line);
        else Progress.WriteLine(line);
    }
}
