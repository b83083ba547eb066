// Whole walks on folders of SD3, SD3.5, FLUX and DiT against plain PyTorch on diffusers: text encoders, autoencoder,
// network, grid and methods together. Deterministic methods only (those that draw noise: flow_noise_golden_test.cpp).
#include "run/flow_walks_fixture.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using inversion::Inversion;
using nlohmann::json;
using testing::FlowWalks;

const std::vector<std::string> kMethods = {"ddim",    "fixed_point", "edict",    "bdia",           "belm",
                                           "uni_inv", "midpoint",    "fireflow", "mccallum_foster"};

TEST_P(FlowWalks, PivotsOfEveryMethodAtEveryGuidance) {
  size_t compared = 0;
  for (const std::string& each : kMethods) {
    if (!inversion::Method::Plugins::has(each)) continue;
    for (const std::string& name : names(each, "pivots")) {
      const json entry = recorded(name);
      const inversion::Problem p(problem(entry, json::object()));
      expect_close(at::stack(run(method(each, entry)->invert(p, golden("z0")[0])).pivots), name);
      ++compared;
    }
  }
  EXPECT_GE(compared, 2u);
}

TEST_P(FlowWalks, WaysBackOfEveryMethodAtEveryGuidance) {
  size_t compared = 0;
  for (const std::string& each : kMethods) {
    if (!inversion::Method::Plugins::has(each)) continue;
    for (const std::string what : {"recon", "edit"}) {
      for (const std::string& name : names(each, what)) {
        const json entry = recorded(name);
        // Where the record names no walk that it starts from, it is the method's own: its name up to the last word.
        std::string start = entry.value("start", "pivots[-1]");
        start = start.substr(0, start.find('['));
        if (start == "pivots") start = name.substr(0, name.find("." + what)) + ".pivots";
        const json up = recorded(start);
        const inversion::Problem p(problem(up, entry));
        const auto way = method(each, entry);
        const Inversion inverted = run(way->invert(p, golden("z0")[0]));
        const bool is_edit = entry.value("prompt", "") == "target";
        const inversion::Guidance guidance{is_edit ? prompts_.at("target") : p.source, is_edit};
        expect_close(at::stack(run(way->sample(p, inverted, guidance))), name);
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 2u);
}

TEST_P(FlowWalks, CorrectionsOfDirectInversion) {
  for (const std::string& name : names("direct", "corrections")) {
    const json entry = recorded(name);
    const std::string pivots = entry["pivots"];
    const inversion::Problem p(problem(recorded(pivots), entry));
    const auto direct = method("direct", entry);
    Inversion inverted = run(direct->invert(p, golden("z0")[0]));
    inverted = run(direct->fit(p, std::move(inverted)));
    expect_close(inverted.state.at("corrections"), name);
  }
}

TEST_P(FlowWalks, EditsAgainstTheSourcePrompt) {
  for (const std::string& name : names("negative_prompt", "edit")) {
    const json entry = recorded(name);
    const inversion::Problem p(problem(recorded("ddim.t.w1.pivots"), entry));
    const auto way = method("negative_prompt", entry);
    const Inversion inverted = run(way->invert(p, golden("z0")[0]));
    const inversion::Guidance guidance{prompts_.at("target"), true};
    expect_close(at::stack(run(way->sample(p, inverted, guidance))), name);
  }
}

TEST_P(FlowWalks, NullTextTunesTheTokensAndKeepsThePooledVector) {
  for (const std::string& name : names("null_text", "recon")) {
    const json entry = recorded(name);
    const std::string prefix = name.substr(0, name.find(".recon"));
    const inversion::Problem p(problem(recorded("ddim.t.w1.pivots"), entry));
    const auto tuning = method("null_text", recorded(prefix + ".losses"));
    Inversion fitted = run(tuning->invert(p, golden("z0")[0]));
    fitted = run(tuning->fit(p, std::move(fitted)));
    std::vector<double> losses;
    for (int i = p.grid.steps(); i >= 1; --i) {
      losses.insert(losses.end(), fitted.losses.at(i).begin(), fitted.losses.at(i).end());
    }
    expect_close(at::tensor(losses, at::kDouble), prefix + ".losses");
    const inversion::Guidance guidance{p.source};
    expect_close(at::stack(run(tuning->sample(p, fitted, guidance))), name);
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, FlowWalks,
                         ::testing::Values("tiny-sd3", "tiny-sd35", "tiny-flux", "tiny-flux-schnell", "tiny-dit"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace roundtrip::run
