using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

public class BlipPlanTests
{
    // Parameters in millions: image tower, captioner, matcher, answers; GFLOP of one picture.
    public static TheoryData<string, double, double, double, double> Published => new()
    {
        { "BLIP-base-384", 86.09, 223.97, 223.74, 111.0 },
        { "BLIP-large-384", 303.69, 446.29, 446.13, 382.1 },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_sizes_have_their_published_parameters_and_arithmetic(string name, double image, double captioner, double matcher, double picture)
    {
        var config = BlipSizes.Find(name)!.Config;
        Assert.Equal(image, Millions(root => new BlipVisionTower(root["vision_model"], config.Vision)), 0.01);
        Assert.Equal(captioner, Millions(root => new BlipCaptioner(root, config)), 0.01);
        Assert.Equal(matcher, Millions(root => new BlipMatcher(root, config)), 0.01);
        var tower = ModelPlan.Of(name).Towers[0];
        Assert.InRange(tower.Cost.Flops / 1e9, picture * 0.99, picture * 1.01);
    }

    [Theory]
    [InlineData("BLIP-base-384", 361.2)]
    [InlineData("BLIP-base-480", 361.5)]
    public void Answers_take_two_text_transformers(string name, double parameters)
        => Assert.Equal(parameters, Millions(root => new BlipVqa(root, BlipSizes.Find(name)!.Config)), 0.1);

    [Fact]
    public void Every_published_size_is_planned()
    {
        foreach (var size in BlipSizes.All)
        {
            var plan = ModelPlan.Of(size.Name.ToUpperInvariant(), batch: 2);
            Assert.Equal(["image", "encoder", "decoder", "decode step"], plan.Towers.Select(t => t.Name));
            Assert.All(plan.Towers, t => Assert.True(t.Cost.Flops > 0 && t.WorkspaceBytes > 0));
            Assert.Equal(size.Name, BlipSizes.Describe(size.Config));
        }
    }

    [Fact]
    public void A_step_of_decoding_does_not_compute_the_keys_of_the_picture_again()
    {
        var plan = ModelPlan.Of("BLIP-base-384");
        double keys = 2.0 * 12 * 577 * 768 * (2 * 768) / 1e9, prompt = plan.Towers[2].Cost.Flops / 1e9, step = plan.Towers[3].Cost.Flops / 1e9;
        Assert.InRange(prompt, keys, keys + 2);
        Assert.InRange(step, 0.1, 0.5);
    }

    [Fact]
    public void Random_weights_build_any_size_and_task()
    {
        var config = BlipSizes.Find("BLIP-base-224")!.Config;
        using var plan = new PlanBackend();
        using var nlvr = WeightLoader.Load(new RandomWeights(1), plan, root => new BlipNlvr(root, config));
        using var vqa = WeightLoader.Load(new RandomWeights(1), plan, root => new BlipVqa(root, config));
        using var session = new Session(plan);
        var images = nlvr.Model.Vision.Forward(session, new Pixels(session.TakeFloat(2, 224, 224, 3)));
        Assert.Equal(new Shape(1, 2), nlvr.Model.Judge(session, new TextIds(new int[9], 1, 9), images).Shape);
        Assert.Equal(new Shape(2, 9, 768), vqa.Model.EncodeQuestions(session, new TextIds(new int[18], 2, 9), images).Shape);
    }

    private static double Millions<T>(Func<WeightNode, T> build) where T : class
    {
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, build);
        return loaded.Parameters / 1e6;
    }
}
