// Methods whose inversion or way back goes through the gradient of the network, against plain PyTorch on diffusers
// (shared flow/golden, the keys tiny-sd/): SPDInv and noise map guidance.
#include "base/json.h"
#include "run/golden_fixture.h"
#include "support/shared_material.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using nlohmann::json;

class GoldenGradients : public GoldenFixture {
 protected:
  void SetUp() override {
    ROUNDTRIP_NEEDS_SHARED("flow/golden/cases.json");
    cases_ = read_json(shared_material("flow/golden/cases.json"))["cases"];
  }
  json recorded(const std::string& name) const {
    for (const json& entry : cases_) {
      if (entry["key"] == "tiny-sd/" + name) return entry;
    }
    ADD_FAILURE() << "not recorded: " << name;
    return {};
  }
  // Relative to the largest value of the whole walk.
  void expect_walk(const inversion::Trajectory& walk, const std::string& name) const {
    static const model::SafetensorsFile file =
        model::SafetensorsFile::open(shared_material("flow/golden/golden.safetensors"));
    const Tensor expected = file.tensor("tiny-sd/" + name), actual = at::stack(walk);
    ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
    const double largest = expected.abs().max().item<double>();
    EXPECT_LT((actual - expected).abs().max().item<double>() / largest, recorded(name)["tolerance"].get<double>())
        << name;
  }

  json cases_;
};

TEST_F(GoldenGradients, SpdInvWalksAndStopsAsRecorded) {
  for (const std::string name : {"spdinv.5.pivots", "spdinv.25.pivots"}) {
    const json entry = recorded(name);
    const auto way = method("spd_inv", {{"iterations", entry["rounds"].get<int64_t>()},
                                        {"learning_rate", entry["learning_rate"].get<double>()},
                                        {"threshold", entry["threshold"].get<double>()},
                                        {"negative", std::string("source")}});
    const inversion::Problem p(problem(cost_));
    const auto inverted = run(way->invert(p, golden("z0")[0]));
    expect_walk(inverted.pivots, name);
    const auto updates = entry["updates"].get<std::vector<size_t>>();
    for (int i = 1; i <= 10; ++i) EXPECT_EQ(inverted.losses.at(i).size(), updates[i - 1]) << name << " step " << i;
  }
}

TEST_F(GoldenGradients, NoiseMapGuidanceReconstructsAsRecorded) {
  const json entry = recorded("nmg.recon");
  const auto way = method("nmg", {{"grad_scale", entry["grad_scale"].get<double>()},
                                  {"noise_map_guidance", entry["noise_map_guidance"].get<double>()}});
  inversion::Problem::Parts parts = problem(cost_);
  parts.settings.numbers[inversion::kWKey] = entry["guidance_scale"].get<double>();
  const inversion::Problem p(parts);
  const auto inverted = run(way->invert(p, golden("z0")[0]));
  const inversion::Guidance guidance{p.source};
  expect_walk(run(way->sample(p, inverted, guidance)), "nmg.recon");
}

}  // namespace
}  // namespace roundtrip::run
