using Microsoft.Extensions.AI;
using VlmKernels.Extensions.AI;
using VlmKernels.Tasks;

// Describes a picture, or answers a question about it, through the interface of chat clients; words appear as the model writes them.
if (args is not [{ Length: > 0 } picture, .. var question] || question.Length > 1)
{
    Console.Error.WriteLine("usage: VlmKernels.Sample.Chat PICTURE [QUESTION]");
    return 2;
}
using var backend = Devices.Open();
using BlipRuntime blip = question.Length == 0
    ? BlipCaptionRuntime.Open(ModelCatalog.Resolve("fashion-blip-caption"), backend)
    : BlipAnswerRuntime.Open(ModelCatalog.Resolve("fashion-blip-vqa"), backend);
using var chat = blip is BlipCaptionRuntime captioner ? new BlipChatClient(captioner, backend) : new BlipChatClient((BlipAnswerRuntime)blip, backend);

AIContent[] contents = [await DataContent.LoadFromAsync(picture), .. question.Select(q => new TextContent(q))];
await foreach (var words in chat.GetStreamingResponseAsync([new ChatMessage(ChatRole.User, contents)])) Console.Write(words.Text);
Console.WriteLine();
return 0;
