#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;

struct Options {
  int64_t iterations = 1;
  bool averaging = false, regularisation = false;
  int64_t low_t = 250, high_from = 8, high_to = 10;
  std::string form = "paper";
};

std::unique_ptr<Method> renoise(const Options& options) {
  return make_method("renoise", config::Params("method", {{"name", std::string("renoise")},
                                                          {"iterations", options.iterations},
                                                          {"averaging", options.averaging},
                                                          {"regularisation", options.regularisation},
                                                          {"low_t", options.low_t},
                                                          {"low_window_from", int64_t{0}},
                                                          {"low_window_to", int64_t{5}},
                                                          {"high_window_from", options.high_from},
                                                          {"high_window_to", options.high_to},
                                                          {"form", options.form}}));
}

TEST(ReNoise, WithoutAveragingAndRegularisationItIsFixedPointIteration) {
  Mixture mixture;
  for (const int k : {1, 2, 5}) {
    const RoundTrip trip = mixture.round_trip(*renoise({.iterations = k}), {.steps = 50});
    EXPECT_LT(mixture.distance_from_recorded(trip, 50, fmt::format("fixed_point_{}", k)), 1e-9) << k;
  }
}

TEST(ReNoise, WithoutIterationsItIsDdim) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*renoise({.iterations = 0}), {.steps = 10});
  EXPECT_LT(mixture.distance_from_recorded(trip, 10, "ddim_t"), 1e-9);
}

// The published settings average nothing above low_t at one iteration.
TEST(ReNoise, AWindowThatIsNotReachedChangesNothing) {
  Mixture mixture;
  const RoundTrip plain = mixture.round_trip(*renoise({.low_t = 0}), {.steps = 20});
  const RoundTrip averaging = mixture.round_trip(*renoise({.averaging = true, .low_t = 0}), {.steps = 20});
  const RoundTrip reached =
      mixture.round_trip(*renoise({.averaging = true, .low_t = 0, .high_from = 0}), {.steps = 20});
  EXPECT_TRUE(at::equal(plain.inversion.pivots.back(), averaging.inversion.pivots.back()));
  EXPECT_FALSE(at::equal(plain.inversion.pivots.back(), reached.inversion.pivots.back()));
}

// One step on eps = c x: the mean of eps(z_0) and eps(z_1) makes it, which is the mean of the two maps.
TEST(ReNoise, TheMeanOfTheWindowMakesTheStep) {
  testing::GaussianDenoiser denoiser(0.25);
  const Tensor x0 = at::full({1, 1, 1}, 0.7, at::kDouble);
  const auto x_1 = [&](const Options& options) {
    return testing::round_trip(*renoise(options), denoiser, x0, {.steps = 1}).inversion.pivots[1].item<double>();
  };
  EXPECT_NEAR(x_1({.averaging = true}), (x_1({.iterations = 0}) + x_1({.iterations = 1})) / 2, 1e-14);
}

TEST(ReNoise, BelowLowTAtMostFiveIterations) {
  Mixture mixture;
  EXPECT_EQ(mixture.round_trip(*renoise({.iterations = 9, .low_t = 1000}), {.steps = 10}).invert_cost.rows, 10 * 6);
  EXPECT_EQ(mixture.round_trip(*renoise({.iterations = 9, .low_t = 0}), {.steps = 10}).invert_cost.rows, 10 * 10);
}

TEST(ReNoise, RegularisationAsksForAReferenceOfEachStep) {
  testing::ConditionedDenoiser denoiser;
  const Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});
  const RoundTrip trip = testing::round_trip(*renoise({.regularisation = true}), denoiser, x0, {.steps = 10});
  EXPECT_EQ(trip.invert_cost.rows, 10 * 3);
}

TEST(ReNoise, InvertsAtOneWhateverSamplingDoes) { EXPECT_EQ(renoise({})->default_invert_w(7.5), 1); }

// White noise, scaled: what a guided prediction is to the regularisation.
class ScaledNoise : public diffusion::Denoiser {
 public:
  explicit ScaledNoise(double scale) : scale_(scale) {}
  Tensor out(const diffusion::Batch& batch) override {
    const Tensor noise = counter_noise(3, "eps")(NoisePurpose::kForward, 0, batch.x[0]);
    return scale_ * noise.expand_as(batch.x);
  }

 private:
  double scale_;
};

TEST(ReNoise, TheReleasedFormRegularisesOtherwise) {
  ScaledNoise denoiser(1);
  const Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});
  const auto x_S = [&](bool regularisation, const char* form) {
    const auto method = renoise({.averaging = true, .regularisation = regularisation, .form = form});
    return testing::round_trip(*method, denoiser, x0, {.steps = 2}).inversion.pivots.back();
  };
  EXPECT_TRUE(at::equal(x_S(false, "paper"), x_S(false, "released")));
  EXPECT_FALSE(at::equal(x_S(true, "paper"), x_S(true, "released")));
  EXPECT_TRUE(at::equal(x_S(true, "released"), x_S(true, "released")));
}

TEST(ReNoise, NamesTheStepWhereTheRegularisationDiverges) {
  const Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});
  const auto invert = [&](double scale, const char* form) {
    ScaledNoise denoiser(scale);
    testing::round_trip(*renoise({.averaging = true, .regularisation = true, .form = form}), denoiser, x0,
                        {.steps = 2});
  };
  for (const char* form : {"paper", "released"}) {
    EXPECT_NO_THROW(invert(1, form)) << form;
    // 16 x 16 pixels: a variance above 32 or so.
    const std::string error = testing::error_of([&] { invert(9, form); }, ErrorKind::kNumeric);
    EXPECT_TRUE(error.starts_with("step 1 at t=1: the regularisation towards white noise diverges from a loss of "))
        << error;
    EXPECT_NE(error.find("mean square is 8"), std::string::npos) << error;  // 9^2 = 81
    EXPECT_NE(error.find("invert_guidance_scale"), std::string::npos) << error;
  }
}

}  // namespace
}  // namespace roundtrip::inversion
