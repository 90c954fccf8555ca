using Microsoft.Extensions.AI;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Extensions.AI.Tests;

/// <summary>BLIP as a chat client: captions and answers, whole and word by word, and clear refusals.</summary>
public sealed class ChatTests : IDisposable
{
    private const string Caption = "a purple sneaker on a gray background";

    private readonly IBackend _backend = Devices.Open(new DeviceOptions(Threads: 2));
    private readonly BlipCaptionRuntime _captioner;
    private readonly BlipAnswerRuntime _answerer;
    private readonly BlipChatClient _captions, _answers;

    public ChatTests()
    {
        string Model(string name) => Path.Combine(Fixtures.Repository, "models", name);
        (_captioner, _answerer) = (BlipCaptionRuntime.Open(Model(ModelCatalog.Captioner), _backend), BlipAnswerRuntime.Open(Model(ModelCatalog.Answerer), _backend));
        (_captions, _answers) = (new BlipChatClient(_captioner, _backend, "captions"), new BlipChatClient(_answerer, _backend));
    }

    public void Dispose()
    {
        foreach (var held in (IDisposable[])[_captions, _answers, _captioner, _answerer, _backend]) held.Dispose();
    }

    [Fact]
    public async Task A_picture_gives_a_caption_with_counts()
    {
        var response = await _captions.GetResponseAsync(Ask(null), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((Caption, ChatFinishReason.Stop, "captions"), (response.Text, response.FinishReason!.Value, response.ModelId));
        Assert.Equal((1, 8), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
    }

    [Fact]
    public async Task A_caption_comes_word_by_word()
    {
        var parts = new List<string>();
        await foreach (var update in _captions.GetStreamingResponseAsync(Ask(null), cancellationToken: TestContext.Current.CancellationToken)) parts.Add(update.Text);
        Assert.Equal(Caption, string.Concat(parts));
        Assert.Equal(7, parts.Count(p => p.Length > 0));
    }

    [Fact]
    public async Task A_question_is_answered_and_options_are_honoured()
    {
        var token = TestContext.Current.CancellationToken;
        Assert.Equal("purple", (await _answers.GetResponseAsync(Ask("what color is the sneaker?"), cancellationToken: token)).Text);
        var cut = await _captions.GetResponseAsync(Ask("a purple"), new ChatOptions { MaxOutputTokens = 2 }, token);
        Assert.Equal(("a purple sneaker on", ChatFinishReason.Length), (cut.Text, cut.FinishReason!.Value));
        Assert.Equal("a purple ", (await _captions.GetResponseAsync(Ask(null), new ChatOptions { StopSequences = ["sneaker"] }, token)).Text);
        Assert.Equal("a purple sneaker ", (await _captions.GetResponseAsync(Ask("a purple"), new ChatOptions { StopSequences = ["purple", "on"] }, token)).Text);
        var drawn = new ChatOptions { Temperature = 3, TopK = 0, Seed = 4 };
        Assert.Equal((await _captions.GetResponseAsync(Ask(null), drawn, token)).Text, (await _captions.GetResponseAsync(Ask(null), drawn, token)).Text);
        Assert.Equal(Caption, (await _captions.GetResponseAsync(Ask(null), new ChatOptions { Temperature = 0, Seed = 4 }, token)).Text);
    }

    [Fact]
    public async Task What_the_model_cannot_do_is_refused()
    {
        await Assert.ThrowsAsync<NotSupportedException>(() => _captions.GetResponseAsync(Ask(null), new ChatOptions { FrequencyPenalty = 1 }));
        await Assert.ThrowsAsync<NotSupportedException>(() => _captions.GetResponseAsync(Ask(null), new ChatOptions { ResponseFormat = ChatResponseFormat.Json }));
        await Assert.ThrowsAsync<ArgumentException>(() => _answers.GetResponseAsync(Ask(null)));
        await Assert.ThrowsAsync<ArgumentException>(() => _captions.GetResponseAsync([.. Ask(null), .. Ask(null)]));
        await Assert.ThrowsAsync<ArgumentException>(() => _captions.GetResponseAsync([new ChatMessage(ChatRole.User, "hello")]));
        await Assert.ThrowsAsync<ArgumentException>(() => _captions.GetResponseAsync(Ask(null), new ChatOptions { ModelId = "another" }));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _captions.GetResponseAsync(Ask(null), cancellationToken: new CancellationToken(canceled: true)));
    }

    private static ChatMessage[] Ask(string? text)
    {
        var picture = new DataContent(File.ReadAllBytes(Path.Combine(Fixtures.Repository, "models/samples/scene-3.png")), "image/png");
        return [new ChatMessage(ChatRole.User, text is null ? [picture] : [picture, new TextContent(text)])];
    }
}
