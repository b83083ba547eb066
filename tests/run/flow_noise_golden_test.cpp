// Walks of flow methods that draw noise, with the noise that was recorded beside them, on folders of SD3 and FLUX.
#include "run/flow_walks_fixture.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::Inversion;
using nlohmann::json;

class FlowNoiseWalks : public testing::FlowWalks {
 protected:
  // One latent for the whole walk.
  static inversion::NoiseSource one(const std::string& name) {
    return [noise = golden(name)[0]](NoisePurpose, int, const Tensor&) { return noise; };
  }
  // Those of grid index i: recorded by steps from the noisiest one, and by averages.
  static inversion::NoiseSource by_step() {
    return [noise = golden("noise")](NoisePurpose, int i, const Tensor& like) {
      return noise[noise.size(0) - i].squeeze(1).narrow(0, 0, like.size(0));  // [averages, C, h, w]
    };
  }
  inversion::Problem problem_of(const json& invert, const json& sample, inversion::NoiseSource noise) {
    inversion::Problem::Parts parts = problem(invert, sample);
    parts.noise = std::move(noise);
    return inversion::Problem(std::move(parts));
  }
  Tensor edited(const inversion::Method& method, const inversion::Problem& p, const Inversion& from) {
    return at::stack(run(method.sample(p, from, {prompts_.at("target"), true})));
  }
};

TEST_P(FlowNoiseWalks, RfInversionAtBothTimes) {
  for (const std::string times : {"grid", "released"}) {
    const std::string name = "rf_inversion." + times + ".pivots";
    const json entry = recorded(name);
    const inversion::Problem p = problem_of(entry, json::object(), one("y1"));
    expect_close(at::stack(run(method("rf_inversion", entry)->invert(p, golden("z0")[0])).pivots), name);
  }
}

TEST_P(FlowNoiseWalks, RfInversionIsPulledToTheImage) {
  const json up = recorded("rf_inversion.grid.pivots"), edit = recorded("rf_inversion.edit"),
             decay = recorded("rf_inversion.decay.recon");
  const inversion::Problem inverting = problem_of(up, json::object(), one("y1"));
  const Inversion inverted = run(method("rf_inversion", up)->invert(inverting, golden("z0")[0]));
  expect_close(edited(*method("rf_inversion", edit), problem_of(up, edit, one("y1")), inverted), "rf_inversion.edit");
  const inversion::Problem p = problem_of(up, decay, one("y1"));
  const inversion::Guidance source{p.source};
  expect_close(at::stack(run(method("rf_inversion", decay)->sample(p, inverted, source))), "rf_inversion.decay.recon");
}

TEST_P(FlowNoiseWalks, FlowEditWalksTheDifferenceOfThePrompts) {
  for (const std::string name : {"flowedit.n8", "flowedit.n8.min3", "flowedit.n10.avg2"}) {
    const json entry = recorded(name);
    const inversion::Problem p = problem_of(entry, entry, by_step());
    const auto flowedit = method("flowedit", entry);
    const Inversion from = run(flowedit->invert(p, golden("z0")[0]));
    const Tensor walk = edited(*flowedit, p, from);
    const int64_t taken = entry["n_max"].get<int64_t>() + 1;  // the record leaves out the steps that stay at the image
    expect_close(walk.narrow(0, walk.size(0) - taken, taken), name);
  }
}

TEST_P(FlowNoiseWalks, FlowAlignHoldsToTheImage) {
  json entry = recorded("flowalign");
  entry["guidance_scale"] = entry["w"];
  const inversion::Problem p = problem_of(entry, entry, by_step());
  const auto flowalign = method("flowalign", entry);
  expect_close(edited(*flowalign, p, run(flowalign->invert(p, golden("z0")[0]))), "flowalign");
}

TEST_P(FlowNoiseWalks, DnaEditAlignsItsNoise) {
  const json up = recorded("dnaedit.pivots"), entry = recorded("dnaedit.edit");
  const inversion::Problem p = problem_of(up, entry, one("dna"));
  const auto dnaedit = method("dnaedit", up);
  const Inversion inverted = run(dnaedit->invert(p, golden("z0")[0]));
  const Tensor pivots = at::stack(inverted.pivots);
  expect_close(pivots.narrow(0, 0, 8), "dnaedit.pivots");
  const Tensor walk = edited(*dnaedit, p, inverted);
  expect_close(walk.narrow(0, walk.size(0) - 8, 8), "dnaedit.edit");
}

TEST_P(FlowNoiseWalks, FlowOptCorrectsItsNoise) {
  const json entry = recorded("flowopt.z");
  const inversion::Problem p = problem_of(entry, json::object(), {});
  json shorter = entry;
  for (int64_t k = 0; k <= entry["iterations"].get<int64_t>(); ++k) {
    shorter["iterations"] = k;
    const Inversion inverted = run(method("flowopt", shorter)->invert(p, golden("z0")[0]));
    const Tensor z = golden("flowopt.z");
    EXPECT_LT((inverted.pivots.back() - z[k]).abs().max().item<double>(),
              entry["tolerance"].get<double>() * z.abs().max().item<double>())
        << k;
    if (k < entry["iterations"]) continue;
    expect_close(at::tensor(inverted.losses.at(p.grid.steps()), at::kDouble), "flowopt.losses");
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, FlowNoiseWalks, ::testing::Values("tiny-sd3", "tiny-flux"), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace roundtrip::run
