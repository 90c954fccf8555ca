using Microsoft.Extensions.AI;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Extensions.AI;

/// <summary>
/// What the generators for texts and for pictures share. Their embeddings have length 1 and lie in one space, so the dot product of any two is
/// their cosine. May be used by any number of threads at once: a generator owns one session, and its callers take turns batch by batch, since one
/// pass already keeps every core busy. Neither the model nor the backend is owned; both must outlive the generator.
/// </summary>
/// <typeparam name="TInput">What is embedded.</typeparam>
public abstract class ClipEmbeddingGenerator<TInput> : IEmbeddingGenerator<TInput, Embedding<float>>
{
    private const string Provider = "vlmkernels";

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Session _session;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private bool _disposed;

    private protected ClipEmbeddingGenerator(ClipRuntime clip, string? missing, IBackend backend, string? modelId)
    {
        if (missing is not null) throw new ArgumentException($"this checkpoint has no {missing}", nameof(clip));
        Clip = clip;
        _session = new Session(backend);
        _metadata = new EmbeddingGeneratorMetadata(Provider, defaultModelId: modelId, defaultModelDimensions: clip.EmbeddingSize);
    }

    private protected ClipRuntime Clip { get; }

    /// <summary>Inputs of one pass.</summary>
    private protected abstract int AtOnce { get; }

    /// <summary>Embeds inputs, on threads of the pool. The result says what the texts had of tokens that the model saw; pictures have none.</summary>
    /// <param name="values">The inputs; any number, embedded in passes of bounded memory with the bits of each alone.</param>
    /// <param name="options">
    /// <c>ModelId</c> and <c>Dimensions</c> may only repeat what the generator has: embeddings of another model or size would not compare with its own.
    /// </param>
    /// <param name="cancellationToken">Looked at before each input is prepared and before each pass.</param>
    /// <exception cref="ArgumentException">An input is null or not of the generator's kind, or an option asks for another model or size.</exception>
    /// <exception cref="ObjectDisposedException">The generator was disposed.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<TInput> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        Check(options);
        TInput[] inputs = [.. values];
        if (inputs.Contains(default)) throw new ArgumentException("an input is null", nameof(values));
        return Task.Run(() => Generate(inputs, cancellationToken), cancellationToken);
    }

    /// <summary>Gives the generator itself, its <see cref="ClipRuntime"/> or its <see cref="EmbeddingGeneratorMetadata"/>; null for anything else.</summary>
    /// <param name="serviceType">The type asked for.</param>
    /// <param name="serviceKey">Must be null: nothing is registered under a key.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is null ? Array.Find<object>([this, Clip, _metadata], serviceType.IsInstanceOfType) : null;
    }

    /// <summary>Frees the session, after the pass that runs; calls that wait for their turn get an <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _turn.Wait();
        if (!_disposed) _session.Dispose();
        _disposed = true;
        _turn.Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Does what needs no session, and gives back what does: [inputs, embedding] F.</summary>
    private protected abstract Func<Session, Tensor> Prepare(ArraySegment<TInput> inputs, int first, CancellationToken cancellationToken);

    /// <summary>Tokens that the model sees of an input.</summary>
    private protected abstract long? Tokens(TInput[] inputs);

    private async Task<GeneratedEmbeddings<Embedding<float>>> Generate(TInput[] inputs, CancellationToken cancellationToken)
    {
        var result = new GeneratedEmbeddings<Embedding<float>>(inputs.Length);
        for (int first = 0; first < inputs.Length; first += AtOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(AtOnce, inputs.Length - first);
            float[] rows = await Pass(Prepare(new ArraySegment<TInput>(inputs, first, count), first, cancellationToken), count, cancellationToken).ConfigureAwait(false);
            foreach (float[] row in rows.Chunk(Clip.EmbeddingSize)) result.Add(new Embedding<float>(row) { ModelId = _metadata.DefaultModelId, CreatedAt = DateTimeOffset.UtcNow });
        }
        if (Tokens(inputs) is { } tokens) result.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return result;
    }

    private async Task<float[]> Pass(Func<Session, Tensor> embed, int count, CancellationToken cancellationToken)
    {
        float[] rows = new float[count * Clip.EmbeddingSize];
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using var mark = _session.Mark();
            _session.CopyOut<float>(embed(_session), rows);
            return rows;
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Check(EmbeddingGenerationOptions? options)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (options?.Dimensions is { } dimensions && dimensions != Clip.EmbeddingSize)
        {
            throw new ArgumentException($"Dimensions: expected {Clip.EmbeddingSize}, which is what this model gives, found {dimensions}", nameof(options));
        }
        if (options?.ModelId is { } model && model != _metadata.DefaultModelId)
        {
            throw new ArgumentException($"ModelId: expected {_metadata.DefaultModelId ?? "none, since this generator's model has no name"}, found {model}", nameof(options));
        }
    }
}
