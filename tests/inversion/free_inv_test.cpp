#include <set>

#include <gtest/gtest.h>

#include "support/flow_walks.h"
#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::method_of;
using testing::RoundTrip;
using testing::Setting;

std::unique_ptr<Method> free_inv(const std::string& transforms = "both") {
  return method_of("free_inv", {{"transforms", transforms}});
}

// eps is an image of its own, whatever x is, and what it was shown is kept.
class Ramp : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    shown.push_back(batch.x[0].clone());
    return at::linspace(0, 1, batch.x[0].numel(), at::kDouble).view_as(batch.x[0]).unsqueeze(0).expand_as(batch.x);
  }
  std::vector<Tensor> shown;
};

Tensor image(int64_t h, int64_t w) { return at::linspace(-0.9, 0.8, h * w, at::kDouble).view({1, h, w}); }

TEST(FreeInv, ForANetworkThatKnowsNoDirectionItIsDdim) {
  testing::ConditionedDenoiser pointwise;
  Setting setting{.steps = 20, .invert_w = 3, .w = 3, .eta = 0.4};
  setting.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
  setting.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  for (const EpsAt eps_at : {EpsAt::kTo, EpsAt::kFrom}) {
    setting.eps_at = eps_at;
    const RoundTrip turned = testing::round_trip(*free_inv(), pointwise, image(4, 4), setting);
    const RoundTrip ddim = testing::round_trip(*method_of("ddim", {}), pointwise, image(4, 4), setting);
    EXPECT_LT(testing::largest_difference(turned.inversion.pivots, ddim.inversion.pivots), 1e-13);
    EXPECT_LT(testing::largest_difference(turned.path, ddim.path), 1e-12);
    EXPECT_EQ(turned.invert_cost.rows, ddim.invert_cost.rows);
    EXPECT_EQ(turned.sample_cost.rows, ddim.sample_cost.rows);
  }
}

// If the transformation of a step were another one on the way back, this prediction would not bring the image back.
TEST(FreeInv, TheTransformationsAreTheSameBothWays) {
  for (const std::string transforms : {"both", "rotate", "flip"}) {
    Ramp ramp;
    const RoundTrip trip = testing::round_trip(*free_inv(transforms), ramp, image(4, 4), {.steps = 20});
    EXPECT_LT(trip.error(image(4, 4)), 1e-12);
    Ramp plain;
    const RoundTrip ddim = testing::round_trip(*method_of("ddim", {}), plain, image(4, 4), {.steps = 20});
    EXPECT_GT(testing::largest_difference(trip.inversion.pivots, ddim.inversion.pivots), 1e-2) << transforms;
    Ramp other;
    const RoundTrip seeded = testing::round_trip(*free_inv(transforms), other, image(4, 4), {.steps = 20, .seed = 1});
    EXPECT_GT(testing::largest_difference(trip.inversion.pivots, seeded.inversion.pivots), 1e-2) << transforms;
  }
}

// Where the greatest element of the image is shown tells the symmetries of an image apart, with the one next to it.
TEST(FreeInv, DrawsAllSymmetriesOfItsKindAndNoOthers) {
  const auto drawn = [](const std::string& transforms, int64_t h, int64_t w) {
    class Zero : public diffusion::Denoiser {
     public:
      explicit Zero(std::set<std::pair<int64_t, int64_t>>& seen) : seen_(seen) {}
      Tensor out(const diffusion::Batch& batch) override {
        const Tensor order = batch.x[0].flatten().argsort(0, /*descending=*/true);
        seen_.emplace(order[0].item<int64_t>(), order[1].item<int64_t>());
        return at::zeros_like(batch.x);
      }

     private:
      std::set<std::pair<int64_t, int64_t>>& seen_;
    };
    std::set<std::pair<int64_t, int64_t>> seen;
    Zero zero(seen);
    testing::round_trip(*free_inv(transforms), zero, image(h, w), {.steps = 100});
    return seen.size();
  };
  EXPECT_EQ(drawn("both", 4, 4), 8u);
  EXPECT_EQ(drawn("rotate", 4, 4), 4u);
  EXPECT_EQ(drawn("flip", 4, 4), 4u);
  EXPECT_EQ(drawn("both", 2, 4), 4u);
  EXPECT_EQ(drawn("rotate", 2, 4), 2u);
}

TEST(FreeInv, ALatentThatIsNotSquareIsNeverTurnedByAQuarter) {
  Ramp ramp;
  testing::round_trip(*free_inv(), ramp, image(2, 4), {.steps = 50});
  for (const Tensor& x : ramp.shown) EXPECT_EQ(x.sizes(), (std::vector<int64_t>{1, 2, 4}));
}

// eps at a pixel reads the one on its left, too.
class Leaning : public diffusion::Denoiser {
 public:
  Tensor out(const diffusion::Batch& batch) override {
    return at::tanh(0.7 * batch.x + 0.4 * batch.x.roll(1, -1) +
                    0.2 * testing::per_row(at::cos(batch.t * 0.003), batch.x));
  }
};

TEST(FreeInv, MoreStepsBringTheImageBack) {
  Leaning leaning;
  std::map<int, double> error;
  for (const int steps : {25, 100, 400}) {
    error[steps] = testing::round_trip(*free_inv(), leaning, image(4, 4), {.steps = steps}).error(image(4, 4));
  }
  EXPECT_LT(error[100], 0.5 * error[25]);
  EXPECT_LT(error[400], 0.5 * error[100]);
}

// The ensemble is one of images: what is shown has to belong to the data. The mixture's means are no mirror images of
// each other, and there the round trip gets worse with the steps, from 25 to 200.
TEST(FreeInv, OnDataWithoutTheSymmetriesTheRoundTripIsWorseThanDdims) {
  testing::Mixture mixture;
  std::map<int, double> error, ddim;
  for (const int steps : {25, 200}) {
    error[steps] = mixture.mse(mixture.round_trip(*free_inv(), {.steps = steps}));
    ddim[steps] = mixture.mse(mixture.round_trip(*method_of("ddim", {}), {.steps = steps}));
  }
  EXPECT_GT(error[200], error[25]);
  EXPECT_GT(error[200], 100 * ddim[200]);
}

}  // namespace
}  // namespace roundtrip::inversion
