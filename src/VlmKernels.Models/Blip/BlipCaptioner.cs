using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>BLIP that writes captions (Li et al. 2022; <c>BLIP_Decoder</c>, <c>BlipForConditionalGeneration</c>). Immutable; sessions share it.</summary>
public sealed class BlipCaptioner
{
    /// <summary>Loads the model.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>text_decoder</c>.</param>
    /// <param name="config">Sizes.</param>
    public BlipCaptioner(WeightNode weights, BlipConfig config)
    {
        Config = config;
        Vision = new BlipVisionTower(weights["vision_model"], config.Vision);
        Decoder = new MedDecoder(weights["text_decoder"], config.Text, config.Vision.Block.HiddenSize);
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>Encodes pictures.</summary>
    public BlipVisionTower Vision { get; }

    /// <summary>Writes about encoded pictures.</summary>
    public MedDecoder Decoder { get; }
}
