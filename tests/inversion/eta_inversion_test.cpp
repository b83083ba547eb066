#include <gtest/gtest.h>

#include "support/flow_walks.h"

namespace roundtrip::inversion {
namespace {

using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> eta_inversion(double eta_clean, double eta_noisy, int64_t draws) {
  return testing::method_of("eta_inversion", {{"eta_clean", eta_clean}, {"eta_noisy", eta_noisy}, {"draws", draws}});
}

class EtaInversionTest : public ::testing::Test {
 protected:
  EtaInversionTest() {
    setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  }
  void edit_towards(double target) { setting.target = Conditioning{.tokens = at::full({2, 3}, target, at::kDouble)}; }

  testing::ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});
  Setting setting{.steps = 8, .w = 7.5};
};

TEST_F(EtaInversionTest, TheSourceIsSetToItsPivots) {
  const RoundTrip trip = round_trip(*eta_inversion(0, 0.4, 10), denoiser, x0, setting);
  EXPECT_EQ(trip.error(x0), 0);
  EXPECT_EQ(trip.fit_cost.rows, 8 * 2);
  EXPECT_EQ(trip.sample_cost.rows, 0);
  EXPECT_EQ(trip.inversion.state.at("noises").size(0), 8);
}

TEST_F(EtaInversionTest, WithoutEtaAnEditIsDdims) {
  edit_towards(0.11);
  const RoundTrip trip = round_trip(*eta_inversion(0, 0, 10), denoiser, x0, setting);
  const RoundTrip plain = round_trip(*testing::method_of("ddim", {}), denoiser, x0, setting);
  EXPECT_LT(testing::largest_difference(trip.path, plain.path), 1e-12);
  EXPECT_EQ(trip.fit_cost.rows, 0);
}

// With the noise that leads the source from pivot to pivot, an edit towards the source prompt itself stays on them.
TEST_F(EtaInversionTest, TheWantedNoiseLeadsFromPivotToPivot) {
  const Setting plain = setting;
  const diffusion::StepGrid grid = plain.step_grid();
  const Trajectory x = round_trip(*testing::method_of("ddim", {}), denoiser, x0, plain).inversion.pivots;
  setting.noise = [&](NoisePurpose, int i, const Tensor& like) {
    const double sigma = grid.sigma(0.2 + 0.5 * grid[i].t / 999, i, i - 1);
    const Tensor t = at::full({1}, grid[i].t, at::kDouble);
    const auto eps = [&](const Conditioning& c) {
      return denoiser.out({x[i].unsqueeze(0), t, {.tokens = c.tokens.unsqueeze(0)}})[0];
    };
    const Tensor guided = 7.5 * eps(setting.source) - 6.5 * eps(setting.null);
    Tensor draws = at::ones(like.sizes(), like.options());
    draws[1] = (x[i - 1] - grid.step(x[i], guided, i, i - 1, sigma)) / sigma;
    return draws;
  };
  setting.target = setting.source;
  const RoundTrip trip = round_trip(*eta_inversion(0.2, 0.7, 3), denoiser, x0, setting);
  for (int i = 0; i <= 8; ++i) EXPECT_LT((trip.path[8 - i] - x[i]).abs().max().item<double>(), 1e-10) << i;
  for (const auto& [i, distance] : trip.inversion.losses) EXPECT_LT(distance[0], 1e-20) << i;
}

TEST_F(EtaInversionTest, MoreDrawsComeNearer) {
  const RoundTrip one = round_trip(*eta_inversion(0, 0.4, 1), denoiser, x0, setting);
  const RoundTrip many = round_trip(*eta_inversion(0, 0.4, 50), denoiser, x0, setting);
  ASSERT_GT(one.inversion.losses.size(), 5u);
  for (const auto& [i, distance] : many.inversion.losses) EXPECT_LE(distance[0], one.inversion.losses.at(i)[0]) << i;
  EXPECT_LT(many.inversion.losses.at(8)[0], one.inversion.losses.at(8)[0]);
}

}  // namespace
}  // namespace roundtrip::inversion
