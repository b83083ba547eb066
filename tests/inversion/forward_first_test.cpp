#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> forward_first(double share) { return method_of("forward_first", {{"share", share}}); }

const Tensor kImage = at::linspace(-0.9, 0.8, 12, at::kDouble).view({3, 2, 2});

TEST(ForwardFirst, WithoutNoisingItIsDdim) {
  testing::ConditionedDenoiser denoiser;
  for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
    const Setting setting{.steps = 20, .eps_at = eps_at};
    const RoundTrip none = testing::round_trip(*forward_first(0), denoiser, kImage, setting);
    const RoundTrip ddim = testing::round_trip(*method_of("ddim", {}), denoiser, kImage, setting);
    EXPECT_TRUE(at::equal(at::stack(none.inversion.pivots), at::stack(ddim.inversion.pivots)));
    EXPECT_TRUE(at::equal(at::stack(none.path), at::stack(ddim.path)));
  }
}

TEST(ForwardFirst, TheFirstLevelsAreNoisingsOfTheImageByOneNoise) {
  testing::ConditionedDenoiser denoiser;
  Setting setting{.steps = 50};
  for (const bool flow : {false, true}) {
    if (flow) setting.grid = testing::flow_grid(50, 3);
    const diffusion::StepGrid grid = setting.step_grid();
    const RoundTrip trip = testing::round_trip(*forward_first(0.14), denoiser, kImage, setting);
    const Tensor n = counter_noise(0, "sample")(NoisePurpose::kForward, 7, kImage);
    for (int i = 1; i <= 7; ++i) {
      EXPECT_LT(testing::largest_difference({trip.inversion.pivots[i]}, {grid[i].a * kImage + grid[i].s * n}), 1e-14);
    }
    EXPECT_EQ(trip.invert_cost.rows, 43) << "0.14 of 50 steps are 7";
    // From there on, DDIM inversion of the noised image.
    setting.eps_at = EpsAt::kFrom;
    const RoundTrip from = testing::round_trip(*forward_first(0.14), denoiser, kImage, setting);
    const auto [x, i] = std::pair(from.inversion.pivots[7], 7);
    const Tensor eps = denoiser.out({x.unsqueeze(0), at::full({1}, grid[i].t, at::kDouble), {}})[0];
    EXPECT_LT(testing::largest_difference({from.inversion.pivots[8]}, {grid.step(x, eps, 7, 8)}), 1e-14);
    setting.eps_at = EpsAt::kTo;
  }
}

TEST(ForwardFirst, ASmallShareIsRoundedUpToAWholeStep) {
  testing::ConditionedDenoiser denoiser;
  const auto rows = [&](double share, int steps) {
    return testing::round_trip(*forward_first(share), denoiser, kImage, {.steps = steps}).invert_cost.rows;
  };
  EXPECT_EQ(rows(0.04, 10), 9);
  EXPECT_EQ(rows(0.04, 50), 48);
  EXPECT_EQ(rows(1, 10), 0);
}

// The walk comes back to x_k as DDIM's does; what x_k has lost of the image does not come back.
TEST(ForwardFirst, MoreStepsBringBackTheNoisedImageAndNotTheImage) {
  testing::Mixture mixture;
  std::map<int, double> to_the_noised, to_the_image, noise;
  for (const int steps : {25, 50, 200}) {
    const RoundTrip trip = mixture.round_trip(*forward_first(0.08), {.steps = steps});
    const int k = steps * 8 / 100;
    to_the_noised[steps] = mean_square(trip.path[steps - k] - trip.inversion.pivots[k]);
    to_the_image[steps] = mixture.mse(trip);
    noise[steps] = mean_square(trip.inversion.pivots.back());
  }
  EXPECT_LT(to_the_noised[50], 0.5 * to_the_noised[25]);
  EXPECT_LT(to_the_noised[200], 0.2 * to_the_noised[50]);
  EXPECT_GT(to_the_image[200], 0.5 * to_the_image[50]);
  EXPECT_GT(to_the_image[200], 10 * to_the_noised[200]);
  EXPECT_NEAR(noise[200], 1, 0.2);
}

}  // namespace
}  // namespace roundtrip::inversion
