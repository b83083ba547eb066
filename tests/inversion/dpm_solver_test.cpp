#include <gtest/gtest.h>

#include "support/mixture.h"

namespace roundtrip::inversion {
namespace {

using testing::Mixture;
using testing::RoundTrip;

std::unique_ptr<Method> dpm_solver(int64_t iterations, double tolerance) {
  return make_method("dpm_solver", config::Params("method", {{"name", std::string("dpm_solver")},
                                                             {"iterations", iterations},
                                                             {"tolerance", tolerance}}));
}

TEST(DpmSolver, SolvedToTheEndItIsTheFixedPoint) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(500, 1e-26), {.steps = 50});
  EXPECT_LT(mixture.distance_from_recorded(trip, 50, "fixed_point_20"), 1e-9);
  EXPECT_LT(mixture.mse(trip), 1e-20);
}

TEST(DpmSolver, AStepEndsBelowTheTolerance) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(500, 1e-6), {.steps = 10});
  int64_t iterations = 0;
  for (const auto& [i, residuals] : trip.inversion.losses) {
    EXPECT_LT(residuals.back() * 64, 1e-6) << "step " << i;
    iterations += static_cast<int64_t>(residuals.size());
  }
  EXPECT_EQ(trip.invert_cost.rows, 10 + iterations);
  EXPECT_EQ(trip.invert_cost.grad_rows, 0);
}

TEST(DpmSolver, WithoutIterationsItIsDdim) {
  Mixture mixture;
  const RoundTrip trip = mixture.round_trip(*dpm_solver(0, 1e-3), {.steps = 10});
  EXPECT_LT(mixture.distance_from_recorded(trip, 10, "ddim_t"), 1e-9);
}

}  // namespace
}  // namespace roundtrip::inversion
