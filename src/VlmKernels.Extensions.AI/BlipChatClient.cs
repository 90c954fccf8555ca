using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Extensions.AI;

/// <summary>
/// A BLIP model behind the interface of chat clients: one user message with a picture gives a caption, which the message's text begins, or the answer
/// to the question in it. BLIP holds no conversation. May be used by any number of threads at once: the client owns one session, and its callers
/// take turns. Neither the model nor the backend is owned; both must outlive the client.
/// </summary>
public sealed class BlipChatClient : IChatClient
{
    private readonly BlipRuntime _blip;
    private readonly Session _session;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SkiaImageDecoder _decoder = new();
    private readonly ChatClientMetadata _metadata;
    private bool _disposed;

    private BlipChatClient(BlipRuntime blip, IBackend backend, string? modelId)
    {
        (_blip, _session) = (blip, new Session(backend));
        _metadata = new ChatClientMetadata("vlmkernels", defaultModelId: modelId);
    }

    /// <summary>Makes a client that writes captions.</summary>
    /// <param name="captioner">The model; must outlive the client.</param>
    /// <param name="backend">The backend that the model was opened on; must outlive the client.</param>
    /// <param name="modelId">What callers call the model; null: it has no name.</param>
    public BlipChatClient(BlipCaptionRuntime captioner, IBackend backend, string? modelId = null)
        : this((BlipRuntime)captioner, backend, modelId) { }

    /// <summary>Makes a client that answers questions.</summary>
    /// <param name="answerer">The model; must outlive the client.</param>
    /// <param name="backend">The backend that the model was opened on; must outlive the client.</param>
    /// <param name="modelId">What callers call the model; null: it has no name.</param>
    public BlipChatClient(BlipAnswerRuntime answerer, IBackend backend, string? modelId = null)
        : this((BlipRuntime)answerer, backend, modelId) { }

    /// <summary>Writes a caption or an answer, on a thread of the pool.</summary>
    /// <param name="messages">One message of a user, with a picture of media type <c>image/*</c> and, for a question or the caption's first words, a text.</param>
    /// <param name="options">Most tokens, temperature, top-p, top-k, seed (any of which but a temperature of 0 makes the model draw) and stop sequences, which have a model that searches with beams take the likeliest token instead, step by step; what else could change the text is refused.</param>
    /// <param name="cancellationToken">Looked at between tokens.</param>
    /// <exception cref="ArgumentException">The messages are no picture with a text, or an option is out of its range.</exception>
    /// <exception cref="NotSupportedException">An option asks for what the model cannot do.</exception>
    /// <exception cref="ImageFormatException">The picture cannot be read.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        => await GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>As <see cref="GetResponseAsync"/>, word by word; beams, and texts that may end at a stop sequence, come as a whole.</summary>
    /// <inheritdoc cref="GetResponseAsync"/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var (picture, text) = BlipChatRequest.Read(messages, needsText: _blip is BlipAnswerRuntime);
        var writing = BlipChatRequest.Options(options, _metadata.DefaultModelId);
        string id = Guid.NewGuid().ToString("N");
        var parts = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        // Stops when the caller leaves the enumeration, too: the session is free again before that returns.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = Task.Run(() => Write(picture, text, writing, parts.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (string part in parts.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return Update(id, new TextContent(part));
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        var written = await work.ConfigureAwait(false);
        var last = Update(id, new UsageContent(new UsageDetails { InputTokenCount = written.PromptTokens, OutputTokenCount = written.Tokens.Count, TotalTokenCount = written.PromptTokens + written.Tokens.Count }));
        last.FinishReason = written.HasEnded ? ChatFinishReason.Stop : ChatFinishReason.Length;
        yield return last;
    }

    /// <summary>Gives the client itself, its <see cref="BlipRuntime"/> or its <see cref="ChatClientMetadata"/>; null for anything else.</summary>
    /// <param name="serviceType">The type asked for.</param>
    /// <param name="serviceKey">Must be null: nothing is registered under a key.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null ? Array.Find<object>([this, _blip, _metadata], serviceType.IsInstanceOfType) : null;
    }

    /// <summary>Frees the session, after the text that is being written.</summary>
    public void Dispose()
    {
        _turn.Wait();
        if (!_disposed) _session.Dispose();
        _disposed = true;
        _turn.Release();
    }

    private async Task<WrittenText> Write(DataContent picture, string? text, WritingOptions options, ChannelWriter<string> parts, CancellationToken cancellation)
    {
        Exception? fault = null;
        try
        {
            byte[] pixels = new byte[_blip.PixelBytes];
            string name = picture.Name is { Length: > 0 } given ? given : "the picture";
            _blip.Prepare(_decoder.DecodeNative(BlipChatRequest.Bytes(picture, name).Span, name, _blip.DecodeOptions(orient: true)), pixels);
            await _turn.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                return Write(pixels, text, options, part => parts.TryWrite(part), cancellation);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (Exception e)
        {
            fault = e;
            throw;
        }
        finally
        {
            parts.TryComplete(fault);
        }
    }

    private WrittenText Write(byte[] pixels, string? text, WritingOptions options, Action<string> onPart, CancellationToken cancellation)
    {
        var stream = new TextStream(_blip.Text, onPart, _blip is BlipCaptionRuntime ? text : null);
        // What a layout's own prompt adds is no part of a caption and is known only when the caption is.
        bool streams = options.Stops.Count == 0 && (_blip is BlipAnswerRuntime || text is not null || _blip.Config.Conventions.CaptionPrompt.Length == 0);
        Action<int, int>? onToken = streams ? stream.Add : null;
        var written = _blip is BlipCaptionRuntime captioner
            ? captioner.Caption(_session, pixels, 1, options, text, onToken, cancellation)[0][0]
            : ((BlipAnswerRuntime)_blip).Answer(_session, pixels, 1, [text!], options, onToken, cancellation)[0][0];
        cancellation.ThrowIfCancellationRequested();
        if (written.Text.Length > stream.Shown.Length) onPart(written.Text[stream.Shown.Length..]);
        return written;
    }

    private ChatResponseUpdate Update(string id, AIContent content)
        => new(ChatRole.Assistant, [content]) { ResponseId = id, MessageId = id, ModelId = _metadata.DefaultModelId, CreatedAt = DateTimeOffset.UtcNow };
}
