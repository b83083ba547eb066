// What a dry run sees of a method, where the answer is known by counting.
#include "inversion/rehearsal.h"

#include <gtest/gtest.h>

#include "support/closed_form.h"

namespace roundtrip::inversion {
namespace {

using Values = std::map<std::string, config::Params::Value>;

Rehearsal rehearsed(const std::string& name, Values values, Settings settings = {}, bool is_edit = false,
                    int steps = 8) {
  values["name"] = name;
  const auto method = make_method(name, config::Params("method", values));
  const WayBack way_back{
      .sample = [&](const Problem& run, const Inversion& inversion, const SourceWalk&, const Guidance& guidance) {
        return own_way_back(*method, run, inversion, guidance);
      }};
  return rehearse(*method, way_back, diffusion::ddim_grid(testing::NoiseSchedule(testing::sd_schedule()), steps),
                  settings, is_edit, {});
}

Settings guided(double w) { return {.numbers = {{kWKey, w}, {kEtaKey, 0.0}}}; }

const Values kNullText{{"inner_steps", int64_t{10}},
                       {"learning_rate", 1e-2},
                       {"early_stop", 1e-5},
                       {"embedding", std::string("per_step")},
                       {"pivots", std::string("ddim")}};

TEST(Rehearsal, NullTextStopsAfterOneInnerStepAtTheEarliest) {
  const Rehearsal seen = rehearsed("null_text", kNullText, guided(7.5));
  EXPECT_EQ(seen.fit.nfe.least, (Evaluations{8 * 3, 8}));
  EXPECT_EQ(seen.fit.nfe.most, (Evaluations{8 * 12, 80}));
  EXPECT_EQ(seen.invert.nfe.most, (Evaluations{8, 0}));
  EXPECT_TRUE(seen.invert.nfe.exact());
  EXPECT_EQ(seen.sample.nfe.most, (Evaluations{0, 0}));  // the fit has walked the reconstruction
  EXPECT_EQ(seen.invert.walk, "ddim");
  EXPECT_TRUE(seen.has_sampler);
  EXPECT_EQ(rehearsed("null_text", kNullText, guided(7.5), true).sample.nfe.most, (Evaluations{16, 0}));
}

TEST(Rehearsal, TheAblationsAreSeenToReadOtherThings) {
  Values values = kNullText;
  values["pivots"] = std::string("forward_noise");
  const Rehearsal random = rehearsed("null_text", values, guided(7.5));
  EXPECT_EQ(random.invert.walk, "forward_noise");
  EXPECT_TRUE(random.invert.reads.has(kSeedKey));
  EXPECT_FALSE(random.invert.reads.has(kInvertWKey));
  EXPECT_EQ(random.invert.nfe.most, (Evaluations{0, 0}));
  values = kNullText;
  values["embedding"] = std::string("global");
  const Rehearsal global = rehearsed("null_text", values, guided(7.5));
  EXPECT_TRUE(global.fit.nfe.exact());
  EXPECT_EQ(global.fit.nfe.most, (Evaluations{8 * 13, 80}));
}

TEST(Rehearsal, AnIterationsToleranceIsSeen) {
  Values values{{"iterations", int64_t{5}},
                {"tolerance", 1e-3},
                {"acceleration", std::string("averaging")},
                {"window", int64_t{3}},
                {"tikhonov", 1e-6}};
  const Rehearsal stopping = rehearsed("fixed_point", values);
  EXPECT_EQ(stopping.invert.nfe.least.forward, 8);
  EXPECT_EQ(stopping.invert.nfe.most.forward, 8 * 6);
  values["tolerance"] = 0.0;
  EXPECT_TRUE(rehearsed("fixed_point", values).invert.nfe.exact());
  EXPECT_EQ(stopping.invert.walk, "");
  EXPECT_FALSE(stopping.invert.reads.has(kEpsAtKey));
}

TEST(Rehearsal, EtaIsReadAndItsNoiseOnlyWhereThereIsSome) {
  const Rehearsal quiet = rehearsed("ddim", {}),
                  noisy = rehearsed("ddim", {}, {.numbers = {{kWKey, 1.0}, {kEtaKey, 0.5}}});
  EXPECT_TRUE(quiet.sample.reads.has(kEtaKey));
  EXPECT_FALSE(quiet.sample.reads.has(kSeedKey));
  EXPECT_TRUE(noisy.sample.reads.has(kSeedKey));
}

TEST(Rehearsal, ARefusedSettingDependsOnEverything) {
  const Rehearsal seen = rehearsed("belm", {{"second_latent", true}}, {}, false, 1);
  EXPECT_NE(seen.refused.find("expected at least 2"), std::string::npos) << seen.refused;
  EXPECT_TRUE(seen.invert.reads.has(kSeedKey) && seen.sample.reads.has(kWKey));
}

TEST(Rehearsal, AMethodWithSeveralLatentsHasNoSampler) {
  EXPECT_FALSE(rehearsed("edict", {{"p", 0.93}, {"leapfrog", true}}).has_sampler);
  EXPECT_TRUE(rehearsed("ddim", {}).has_sampler);
}

}  // namespace
}  // namespace roundtrip::inversion
