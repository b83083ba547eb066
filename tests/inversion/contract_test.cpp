// What every registered method has to keep, on closed-form denoisers. A new method is picked up from the registry.
#include <cstring>
#include <fstream>
#include <set>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "inversion/rehearsal.h"
#include "support/error_of.h"
#include "support/flow_grid.h"
#include "support/inversion_bench.h"

namespace roundtrip::inversion {

namespace {

using diffusion::Out;
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

// A point of a method's parameter space, on a model that predicts `out`.
struct Case {
  MethodInfo method;
  std::string label;  // "defaults", or the parameter that differs from them
  config::Params params;
  Out out = Out::kEps;

  std::string name() const {
    return fmt::format("{}_{}{}", method.name, label, out == Out::kVelocity ? "_on_a_flow" : "");
  }
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name(); }

// The values that a parameter is tried at besides its default, from the type and range that its getter asked for.
std::vector<config::Params::Value> other_values(const std::string& asked, const config::Params::Value& value) {
  const auto number_after = [&](const char* word) -> std::optional<double> {
    const size_t at = asked.find(word);
    return at == asked.npos ? std::nullopt
                            : std::optional(std::strtod(asked.c_str() + at + std::strlen(word), nullptr));
  };
  const std::optional<double> least =
      asked.find(" in [") != asked.npos ? number_after(" in [") : number_after("least ");
  const std::optional<double> most = asked.find(" in [") != asked.npos ? number_after(", ") : std::nullopt;
  if (const auto* flag = std::get_if<bool>(&value)) return {!*flag};
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::vector<config::Params::Value> choices;
    const size_t list = asked.find('[');
    if (list == asked.npos) return {};
    for (const std::string& choice : split(asked.substr(list + 1, asked.size() - list - 2), ',')) {
      const std::string name(trim(choice));
      if (name != *text) choices.emplace_back(name);
    }
    return choices;
  }
  const auto* count = std::get_if<int64_t>(&value);
  if (count && !asked.starts_with("float")) {
    std::vector<config::Params::Value> values{*count + 1};
    if (least && *least < static_cast<double>(*count)) values.emplace_back(static_cast<int64_t>(*least));
    return values;
  }
  // The smallest admissible number may make a recurrence explode, which it is free to do: half way there.
  const double x = count ? static_cast<double>(*count) : std::get<double>(value);
  const double low = least.value_or(0), high = most.value_or(2 * x);
  return {(x + low) / 2, (x + high) / 2};
}

std::vector<Case> cases_on(Out out) {
  std::vector<Case> all;
  for (const MethodInfo& info : methods()) {
    if (info.only_for.value_or(out) != out) continue;
    const config::Params defaults = default_params(info.name);
    make_method(info.name, defaults);  // so that `asked` is known
    all.push_back({info, "defaults", defaults, out});
    for (const auto& [key, asked] : defaults.asked()) {
      if (key == "name") continue;
      // Its steps diverge on predictions as smooth as those here, which it names: renoise_test.cpp.
      if (info.name == "renoise" && key == "form") continue;
      int n = 0;
      for (const config::Params::Value& value : other_values(asked, defaults.values().at(key))) {
        auto values = defaults.values();
        values[key] = value;
        all.push_back({info, fmt::format("{}_{}", key, ++n), config::Params("method", values), out});
      }
    }
  }
  return all;
}

std::vector<Case> cases() {
  std::vector<Case> all = cases_on(Out::kEps), flows = cases_on(Out::kVelocity);
  all.insert(all.end(), flows.begin(), flows.end());
  return all;
}

class Contract : public ::testing::TestWithParam<Case> {
 protected:
  // Threads cost more than they do on latents this small.
  static void SetUpTestSuite() { at::set_num_threads(1); }

  bool at_defaults() const { return GetParam().label == "defaults"; }
  bool on_a_flow() const { return GetParam().out == Out::kVelocity; }

  std::unique_ptr<Method> method = make_method(GetParam().method.name, GetParam().params);
  ConditionedDenoiser denoiser;
  Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});

  Setting setting(int steps) const {
    Setting s;
    s.steps = steps;
    if (on_a_flow()) s.grid = testing::flow_grid(steps, /*shift=*/3);
    s.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
    s.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
    s.invert_w = method->default_invert_w(1);
    s.w = s.invert_w;
    return s;
  }

  Rehearsal rehearsed(const Setting& s, PromptKinds prompts = {}) const {
    const WayBack way_back{
        .sample = [this](const Problem& run, const Inversion& inversion, const SourceWalk&, const Guidance& guidance) {
          return own_way_back(*method, run, inversion, guidance);
        }};
    return rehearse(*method, way_back, s.step_grid(), s.settings(), s.target.has_value(), prompts);
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
  if (!on_a_flow()) s.eta = 0.7;
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

TEST_P(Contract, CostsWhatWasRehearsed) {
  const auto agrees = [](const engine::Cost& cost, const NfeBounds& nfe) {
    return nfe.least.forward <= cost.rows && cost.rows <= nfe.most.forward && nfe.least.backward <= cost.grad_rows &&
           cost.grad_rows <= nfe.most.backward;
  };
  Conditioning target;
  target.tokens = at::full({2, 3}, 0.11, at::kDouble);
  for (const double w : {0.0, 1.0, 7.5}) {
    for (const double eta : {0.0, 0.5}) {
      if (!at_defaults() && (w == 0 || eta > 0)) continue;
      if (on_a_flow() && eta > 0) continue;
      for (const bool edits : {false, true}) {
        for (const bool null_source : {false, true}) {
          Setting s = setting(8);
          s.w = w;
          s.eta = eta;
          if (edits) s.target = target;
          if (null_source) s.source = s.null;
          const RoundTrip trip = round_trip(*method, denoiser, x0, s);
          const Rehearsal nfe = rehearsed(s, {.null_source = null_source, .null_sampled = null_source && !edits});
          EXPECT_EQ(nfe.refused, "");
          const std::string setting_text =
              fmt::format("w = {}, eta = {}, edits {}, null prompt {}", w, eta, edits, null_source);
          EXPECT_TRUE(agrees(trip.invert_cost, nfe.invert.nfe)) << "inverting, " << setting_text;
          EXPECT_TRUE(agrees(trip.fit_cost, nfe.fit.nfe)) << "fitting, " << setting_text;
          EXPECT_TRUE(agrees(trip.sample_cost, nfe.sample.nfe)) << "sampling, " << setting_text;
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

class ConvergenceContract : public Contract {};

TEST_P(ConvergenceContract, RoundTripImprovesWithTheSteps) {
  const double coarse = round_trip(*method, denoiser, x0, setting(10)).error(x0);
  const double fine = round_trip(*method, denoiser, x0, setting(80)).error(x0);
  EXPECT_LT(fine, 0.5 * coarse + 1e-9);
}

// Records share work by what the rehearsal noted: a setting that is read and not noted would hand one record another's
// result.
TEST_P(Contract, ReadsNothingThatWasNotNoted) {
  for (const bool edits : {false, true}) {
    Setting base = setting(6);
    base.w = 3;
    if (edits) base.target = Conditioning{.tokens = at::full({2, 3}, 0.11, at::kDouble)};
    const RoundTrip reference = round_trip(*method, denoiser, x0, base);
    const Rehearsal noted = rehearsed(base);
    const auto holds = [&](const Setting& s, const char* key) {
      const bool invert = noted.invert.reads.has(key), fit = noted.fit.reads.has(key);
      if (invert) return;  // so everything may differ
      const RoundTrip trip = round_trip(*method, denoiser, x0, s);
      const auto same = [](const Trajectory& a, const Trajectory& b) { return at::equal(at::stack(a), at::stack(b)); };
      EXPECT_TRUE(same(trip.inversion.pivots, reference.inversion.pivots)) << "inverting reads " << key;
      if (!fit) {
        for (const auto& [state, tensor] : reference.inversion.state) {
          EXPECT_TRUE(at::equal(tensor, trip.inversion.state.at(state))) << state << " reads " << key;
        }
      }
      if (!fit && !noted.sample.reads.has(key)) {
        EXPECT_TRUE(same(trip.path, reference.path)) << "sampling reads " << key;
      }
    };
    Setting eps_at = base, invert_w = base, w = base, seed = base, eta = base, target = base;
    eps_at.eps_at = EpsAt::kFrom;
    invert_w.invert_w = base.invert_w + 1.5;
    w.w = base.w + 2;
    seed.seed = 17;
    eta.eta = 0.5;
    holds(eps_at, kEpsAtKey);
    holds(invert_w, kInvertWKey);
    holds(w, kWKey);
    holds(seed, kSeedKey);
    if (!on_a_flow()) holds(eta, kEtaKey);
    // Of the way back the target prompt is known to decide; before it, only where it was noted.
    target.target = Conditioning{.tokens = at::full({2, 3}, 0.3, at::kDouble)};
    if (edits && !noted.invert.reads.has(kTargetKey)) {
      const RoundTrip trip = round_trip(*method, denoiser, x0, target);
      EXPECT_TRUE(at::equal(at::stack(trip.inversion.pivots), at::stack(reference.inversion.pivots)));
    }
  }
}

TEST_P(Contract, SaysWhatItIs) {
  EXPECT_FALSE(GetParam().method.summary.empty());
  EXPECT_FALSE(GetParam().method.source.empty());
}

// Claimed of the published defaults alone.
std::vector<Case> convergent_cases() {
  std::vector<Case> all = cases();
  std::erase_if(all, [](const Case& one) { return !one.method.converges || one.label != "defaults"; });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Methods, ConvergenceContract, ::testing::ValuesIn(convergent_cases()),
                         [](const auto& info) { return info.param.name(); });
INSTANTIATE_TEST_SUITE_P(Methods, Contract, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name(); });

// Work that methods share as a common walk is the same work.
TEST(CommonWalk, IsTheSameWhicheverMethodWalksIt) {
  ConditionedDenoiser denoiser;
  const Tensor x0 = at::linspace(-0.9, 0.8, 3 * 16 * 16, at::kDouble).view({3, 16, 16});
  Setting s{.steps = 6};
  s.source.tokens = at::full({2, 3}, 0.05, at::kDouble);
  s.null.tokens = at::full({2, 3}, -0.04, at::kDouble);
  std::map<std::string, int> walkers;
  for (const Case& one : cases()) {
    const std::unique_ptr<Method> method = make_method(one.method.name, one.params);
    s.grid.reset();
    if (one.out == Out::kVelocity) s.grid = testing::flow_grid(s.steps, /*shift=*/3);
    const WayBack way_back{
        .sample = [&](const Problem& run, const Inversion& inversion, const SourceWalk&, const Guidance& guidance) {
          return own_way_back(*method, run, inversion, guidance);
        }};
    const std::string walk = rehearse(*method, way_back, s.step_grid(), s.settings(), false, {}).invert.walk;
    if (walk.empty()) continue;
    ++walkers[walk];
    const std::unique_ptr<Method> other = make_method(walk, default_params(walk));
    const RoundTrip trip = round_trip(*method, denoiser, x0, s), reference = round_trip(*other, denoiser, x0, s);
    EXPECT_TRUE(at::equal(at::stack(trip.inversion.pivots), at::stack(reference.inversion.pivots))) << one.name();
    EXPECT_EQ(trip.invert_cost.rows, reference.invert_cost.rows) << one.name();
  }
  EXPECT_GT(walkers["ddim"], 5);
  EXPECT_GT(walkers["forward_noise"], 1);
}

// One check for all methods: those of one family are refused by name on the other.
TEST(Family, AMethodIsRefusedOnTheOtherKindOfModel) {
  const diffusion::StepGrid flow = testing::flow_grid(4), diffusion = Setting{.steps = 4}.step_grid();
  std::set<std::string> flow_only, diffusion_only;
  for (const MethodInfo& info : methods()) {
    for (const diffusion::StepGrid* grid : {&flow, &diffusion}) {
      if (info.only_for.value_or(grid->out()) == grid->out()) {
        EXPECT_NO_THROW(check_grid(info.name, *grid, {})) << info.name;
        continue;
      }
      (grid == &flow ? diffusion_only : flow_only).insert(info.name);
      const std::string message = testing::error_of([&] { check_grid(info.name, *grid, {}); }, ErrorKind::kType);
      EXPECT_TRUE(message.starts_with("method.name: found " + info.name + ", which is defined for ")) << message;
      EXPECT_NE(message.find("ddim"), std::string::npos) << message;
      EXPECT_EQ(message.find(", " + info.name + ","), std::string::npos) << "it offers what it refuses: " << message;
    }
  }
  EXPECT_EQ(diffusion_only, (std::set<std::string>{"edit_friendly", "eta_inversion", "h_edit", "infedit", "ledits_pp",
                                                   "nmg", "renoise", "turbo_edit"}));
  EXPECT_EQ(flow_only,
            (std::set<std::string>{"dnaedit", "fireflow", "flowalign", "flowedit", "midpoint", "rf_inversion"}));
}

TEST(Family, EtaIsRefusedOnAFlow) {
  Setting noisy{.steps = 4, .eta = 0.5};
  EXPECT_NO_THROW(check_grid("ddim", noisy.step_grid(), noisy.settings()));
  noisy.grid = testing::flow_grid(4);
  const std::string message =
      testing::error_of([&] { check_grid("ddim", noisy.step_grid(), noisy.settings()); }, ErrorKind::kType);
  EXPECT_EQ(message, "eta: found 0.5; the sampler of a flow model adds no noise; expected 0");
}

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
