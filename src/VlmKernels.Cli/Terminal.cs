using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Weights;

namespace VlmKernels.Cli;

/// <summary>What the command line prints, and where: results to standard output, progress and errors to standard error.</summary>
internal static class Terminal
{
    /// <summary>Exit code of a command that could not do all it was asked for.</summary>
    public const int Failure = 1;

    private static readonly IAnsiConsole Progress = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Runs a command; what its input caused becomes one line on standard error and exit code 1.</summary>
    public static int Guard(Func<int> run)
    {
        try
        {
            return run();
        }
        catch (Exception e) when (IsInputFault(e))
        {
            Error(e.Message);
            return Failure;
        }
    }

    /// <summary>True for what files and options cause; anything else is a fault of this program and keeps its stack trace.</summary>
    public static bool IsInputFault(Exception e) => e is WeightFileException or WeightMismatchException or ConfigFormatException or ImageFormatException or ContractException
        or ModelNotFoundException or ArgumentException or InvalidOperationException or InvalidDataException or JsonException or IOException or UnauthorizedAccessException;

    public static void Error(string message) => Console.Error.WriteLine($"vlm: {message}");

    public static void Note(string message) => Console.Error.WriteLine($"note: {message}");

    /// <summary>Shows that something goes on while it takes longer than a moment; silent where standard error is no terminal.</summary>
    public static T While<T>(string what, Func<T> run)
    {
        if (Console.IsErrorRedirected) return run();
        return Progress.Status().Spinner(Spinner.Known.Dots).Start(Markup.Escape(what), _ => run());
    }

    /// <summary>Runs over items with a bar, the rate and the time left; silent where standard error is no terminal.</summary>
    public static void ForEach<T>(string what, IReadOnlyCollection<T> items, Action<T> run)
    {
        if (Console.IsErrorRedirected || items.Count < 2)
        {
            foreach (var item in items) run(item);
            return;
        }
        Progress.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).Start(context =>
        {
            var task = context.AddTask(Markup.Escape(what), maxValue: items.Count);
            foreach (var item in items)
            {
                run(item);
                task.Increment(1);
            }
        });
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
        foreach (string column in columns) table.AddColumn(new TableColumn($"[bold]{Markup.Escape(column)}[/]") { NoWrap = true });
        return table;
    }

    /// <summary>Prints a table; in a pipe as wide as it needs to be.</summary>
    public static void Print(Spectre.Console.Rendering.IRenderable what)
    {
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 400;
        AnsiConsole.Write(what);
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
}
