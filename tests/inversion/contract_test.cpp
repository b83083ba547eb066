// What every registered method has to keep, on closed-form denoisers. A new method is picked up from the registry.
#include <fstream>

#include <gtest/gtest.h>

#include "base/text.h"
#include "support/inversion_bench.h"

namespace roundtrip::inversion {

void PrintTo(const MethodInfo& info, std::ostream* out) { *out << info.name; }

namespace {

using testing::ConditionedDenoiser;
using testing::round_trip;
using testing::RoundTrip;
using testing::Setting;

// The defaults stand in the method's own YAML, one `key: value` a line; the contract reads them from there.
config::Params default_params(const std::string& name) {
  std::ifstream file(fmt::format("{}/configs/method/{}.yaml", ROUNDTRIP_SOURCE_DIR, name));
  EXPECT_TRUE(file) << "a method comes with configs/method/" << name << ".yaml";
  std::map<std::string, config::Params::Value> values;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with('#') || colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon), text(trim(line.substr(colon + 2, line.find(" #") - colon - 2)));
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (text == "true" || text == "false") {
      values[key] = text == "true";
    } else if (*end != '\0') {
      values[key] = text;
    } else if (text.find_first_of(".e") == std::string::npos) {
      values[key] = static_cast<int64_t>(number);
    } else {
      values[key] = number;
    }
  }
  return config::Params("method", values);
}

class Contract : public ::testing::TestWithParam<MethodInfo> {
 protected:
  std::unique_ptr<Method> method = make_method(GetParam().name, default_params(GetParam().name));
  ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});

  Setting setting(int steps) const {
    Setting s;
    s.steps = steps;
    s.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    s.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
    s.invert_w = std::isnan(method->default_invert_w(1)) ? 1 : method->default_invert_w(1);
    s.w = s.invert_w;
    return s;
  }
};

TEST_P(Contract, WalksTheWholeGridBothWays) {
  const RoundTrip trip = round_trip(*method, denoiser, x0, setting(7));
  EXPECT_EQ(trip.inversion.pivots.size(), 8u);
  EXPECT_EQ(trip.path.size(), 8u);
  EXPECT_TRUE(at::equal(trip.inversion.pivots.front(), x0));
  for (const Tensor& x : trip.path) EXPECT_EQ(x.sizes(), x0.sizes());
}

TEST_P(Contract, IsDeterministic) {
  Setting s = setting(6);
  s.eta = 0.7;
  const RoundTrip a = round_trip(*method, denoiser, x0, s), b = round_trip(*method, denoiser, x0, s);
  for (size_t k = 0; k < a.path.size(); ++k) {
    EXPECT_TRUE(at::equal(a.inversion.pivots[k], b.inversion.pivots[k]));
    EXPECT_TRUE(at::equal(a.path[k], b.path[k]));
  }
}

TEST_P(Contract, StaysFinite) {
  Setting s = setting(25);
  s.w = 7.5;
  for (const Tensor& x : round_trip(*method, denoiser, x0, s).path) EXPECT_TRUE(at::isfinite(x).all().item<bool>());
}

TEST_P(Contract, LeavesItsInputsUntouched) {
  const Tensor before = x0.clone();
  const Setting s = setting(5);
  const Tensor source = s.source.tokens.clone(), null = s.null.tokens.clone();
  round_trip(*method, denoiser, x0, s);
  EXPECT_TRUE(at::equal(x0, before));
  EXPECT_TRUE(at::equal(s.source.tokens, source));
  EXPECT_TRUE(at::equal(s.null.tokens, null));
}

TEST_P(Contract, CountsEveryRowThatItAsksFor) {
  const int64_t before = denoiser.rows;
  const RoundTrip trip = round_trip(*method, denoiser, x0, setting(9));
  EXPECT_EQ(trip.invert_cost.rows + trip.fit_cost.rows + trip.sample_cost.rows, denoiser.rows - before);
  EXPECT_GT(denoiser.rows, before);
}

TEST_P(Contract, AnnouncesWhatItWillCost) {
  const auto agrees = [](const engine::Cost& cost, const Evaluations& announced) {
    return announced.exact ? cost.rows == announced.forward && cost.grad_rows == announced.backward
                           : cost.rows <= announced.forward && cost.grad_rows <= announced.backward;
  };
  Conditioning target;
  target.tokens = at::full({2, 3}, 0.11, at::kDouble);
  for (const double w : {0.0, 1.0, 7.5}) {
    for (const double eta : {0.0, 0.5}) {
      for (const bool edits : {false, true}) {
        for (const bool null_source : {false, true}) {
          Setting s = setting(8);
          s.w = w;
          s.eta = eta;
          if (edits) s.target = target;
          if (null_source) s.source = s.null;
          const RoundTrip trip = round_trip(*method, denoiser, x0, s);
          const Ask ask{.steps = 8,
                        .invert_w = s.invert_w,
                        .w = w,
                        .eta = eta,
                        .null_source = null_source,
                        .edits = edits,
                        .null_sampled = null_source && !edits};
          const std::string setting_text =
              fmt::format("w = {}, eta = {}, edits {}, null prompt {}", w, eta, edits, null_source);
          EXPECT_TRUE(agrees(trip.invert_cost, method->invert_evaluations(ask))) << "inverting, " << setting_text;
          EXPECT_TRUE(agrees(trip.fit_cost, method->fit_evaluations(ask))) << "fitting, " << setting_text;
          EXPECT_TRUE(agrees(trip.sample_cost, method->sample_evaluations(ask))) << "sampling, " << setting_text;
        }
      }
    }
  }
}

TEST_P(Contract, AnEditReadsTheTargetPrompt) {
  Setting s = setting(6);
  s.w = 3;
  const auto edited = [&](double target) {
    s.target = Conditioning{.tokens = at::full({2, 3}, target, at::kDouble)};
    return round_trip(*method, denoiser, x0, s).path.back();
  };
  EXPECT_TRUE(at::equal(edited(0.4), edited(0.4)));
  EXPECT_FALSE(at::equal(edited(0.4), edited(0.1)));
}

TEST_P(Contract, RoundTripImprovesWithTheSteps) {
  if (!GetParam().converges) GTEST_SKIP() << GetParam().name << " does not claim to";
  const double coarse = round_trip(*method, denoiser, x0, setting(10)).error(x0);
  const double fine = round_trip(*method, denoiser, x0, setting(80)).error(x0);
  EXPECT_LT(fine, 0.5 * coarse + 1e-9);
}

// Records share work by what `Reads` names: a setting that is read and not named would hand one record another's
// result.
TEST_P(Contract, ReadsNothingThatItDoesNotName) {
  const Setting base = setting(6);
  const RoundTrip reference = round_trip(*method, denoiser, x0, base);
  const auto unchanged_invert = [&](const Setting& s) {
    const RoundTrip trip = round_trip(*method, denoiser, x0, s);
    return at::equal(at::stack(trip.inversion.pivots), at::stack(reference.inversion.pivots));
  };
  const auto unchanged_sample = [&](const Setting& s) {
    const RoundTrip trip = round_trip(*method, denoiser, x0, s);
    return at::equal(at::stack(trip.path), at::stack(reference.path));
  };
  const Reads invert = method->invert_reads(), fit = method->fit_reads(), sample = method->sample_reads(0);
  Setting eps_at = base, invert_w = base, w = base, seed = base, eta = base;
  eps_at.eps_at = EpsAt::kSource;
  invert_w.invert_w = base.invert_w + 1.5;
  w.w = base.w + 2;
  seed.seed = 17;
  eta.eta = 0.5;
  if (!invert.eps_at) {
    EXPECT_TRUE(unchanged_invert(eps_at)) << "inverting reads eps_at";
  }
  if (!invert.invert_w) {
    EXPECT_TRUE(unchanged_invert(invert_w)) << "inverting reads invert_w";
  }
  if (!invert.w) {
    EXPECT_TRUE(unchanged_invert(w)) << "inverting reads w";
  }
  if (!invert.seed) {
    EXPECT_TRUE(unchanged_invert(seed)) << "inverting reads the seed";
  }
  if (!invert.eta) {
    EXPECT_TRUE(unchanged_invert(eta)) << "inverting reads eta";
  }
  if (!invert.eps_at && !fit.eps_at && !sample.eps_at) {
    EXPECT_TRUE(unchanged_sample(eps_at)) << "sampling reads eps_at";
  }
  if (!invert.invert_w && !fit.invert_w && !sample.invert_w) {
    EXPECT_TRUE(unchanged_sample(invert_w)) << "sampling reads invert_w";
  }
  if (!invert.w && !fit.w && !sample.w) {
    EXPECT_TRUE(unchanged_sample(w)) << "sampling reads w";
  }
  if (!invert.seed && !fit.seed && !sample.seed) {
    EXPECT_TRUE(unchanged_sample(seed)) << "sampling reads the seed";
  }
}

// Work that methods share under a common name is the same work.
TEST_P(Contract, CommonWorkIsTheSameWhicheverMethodDoesIt) {
  const std::string common = method->invert_reads().common;
  if (common.empty()) GTEST_SKIP() << GetParam().name << " inverts in a way of its own";
  const std::unique_ptr<Method> other = make_method(common, default_params(common));
  const Setting s = setting(6);
  const RoundTrip trip = round_trip(*method, denoiser, x0, s), reference = round_trip(*other, denoiser, x0, s);
  EXPECT_TRUE(at::equal(at::stack(trip.inversion.pivots), at::stack(reference.inversion.pivots)));
  EXPECT_EQ(trip.invert_cost.rows, reference.invert_cost.rows);
}

TEST_P(Contract, SaysWhatItIs) {
  EXPECT_FALSE(GetParam().summary.empty());
  EXPECT_FALSE(GetParam().source.empty());
}

INSTANTIATE_TEST_SUITE_P(Methods, Contract, ::testing::ValuesIn(methods()),
                         [](const auto& info) { return info.param.name; });

TEST(Registry, AnUnknownMethodNamesTheNearest) {
  try {
    make_method("ddmi", config::Params("method", {{"name", std::string("ddmi")}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("Did you mean 'ddim'?"), std::string::npos) << error.message();
  }
}

TEST(Registry, AParameterThatTheMethodDoesNotHaveIsAnError) {
  const config::Params params("method", {{"name", std::string("ddim")}, {"inner_steps", int64_t{10}}});
  EXPECT_THROW(make_method("ddim", params), Error);
}

}  // namespace
}  // namespace roundtrip::inversion
