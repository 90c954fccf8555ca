using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>How well a model's zero-shot answers fit the classes of a dataset.</summary>
/// <param name="Labels">Names of the classes.</param>
/// <param name="Predictions">For each picture the most probable class; of equals the earlier one. −1: the picture could not be read.</param>
/// <param name="Top1">Pictures whose class is the most probable.</param>
/// <param name="Top5">Pictures whose class is among the five most probable.</param>
/// <param name="Confusion">[class, prediction]: number of pictures.</param>
/// <param name="Unreadable">Pictures that could not be read, with the reason.</param>
public sealed record ZeroShotEvaluation(IReadOnlyList<string> Labels, IReadOnlyList<int> Predictions, int Top1, int Top5, int[,] Confusion, IReadOnlyList<(int Index, string Reason)> Unreadable)
{
    /// <summary>Pictures that were judged.</summary>
    public int Count => Predictions.Count - Unreadable.Count;

    /// <summary>Runs a classifier over a dataset.</summary>
    /// <param name="clip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="pictures">The dataset.</param>
    /// <param name="labels">One label per class, in the order of the dataset's classes.</param>
    /// <param name="templates">Texts with {}; null: the default.</param>
    /// <param name="progress">Called with the number of pictures done.</param>
    /// <exception cref="ArgumentException">The number of labels is not that of the classes.</exception>
    public static ZeroShotEvaluation Run(ClipRuntime clip, Session session, LabelledPictures pictures, IReadOnlyList<string> labels, IReadOnlyList<string>? templates = null,
        Action<int>? progress = null)
    {
        if (labels.Count < pictures.Classes) throw new ArgumentException($"the dataset has {pictures.Classes} classes, but there are {labels.Count} labels");
        var classifier = new ZeroShotClassifier(clip, session, labels, templates);
        var predictions = new int[pictures.Count];
        var confusion = new int[labels.Count, labels.Count];
        var unreadable = new List<(int, string)>();
        int top1 = 0, top5 = 0;
        using var reader = new PictureReader(clip, pictures.Count, pictures.Read, clip.PicturesAtOnce);
        foreach (var batch in reader.Batches())
        {
            unreadable.AddRange(batch.Unreadable);
            foreach (var (index, _) in batch.Unreadable) predictions[index] = -1;
            float[][] rows = batch.Read.Count == 0 ? [] : classifier.Probabilities(session, batch.Pixels, batch.Read.Count);
            for (int k = 0; k < rows.Length; k++)
            {
                int index = batch.Read[k], label = pictures.Label(index), rank = Rank(rows[k], label);
                predictions[index] = Array.IndexOf(rows[k], rows[k].Max());
                confusion[label, predictions[index]]++;
                if (rank == 0) top1++;
                if (rank < 5) top5++;
            }
            progress?.Invoke(batch.First + batch.Count);
        }
        return new ZeroShotEvaluation(labels, predictions, top1, top5, confusion, unreadable);
    }

    /// <summary>How many labels come before this one; of equals the earlier comes first, as in the predictions.</summary>
    private static int Rank(float[] probabilities, int label)
    {
        int before = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            if (probabilities[i] > probabilities[label] || (probabilities[i] == probabilities[label] && i < label)) before++;
        }
        return before;
    }
}
