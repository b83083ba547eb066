// The language of claims, and the verdicts: holds, fails and undecided, each for its reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/claims/claim_check.h"
#include "analysis/claims/expectations.h"
#include "analysis/made_run.h"
#include "hydra/tree/yaml.h"
#include "support/error_of.h"

namespace roundtrip::analysis {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::HasSubstr;

class Claims : public ::testing::Test {
 protected:
  // null_text is 2 dB better than ddim on every image; negative_prompt equals ddim at w = 1 whatever its w.
  static MadeRun run() {
    MadeRun run;
    for (const char* method : {"ddim", "negative_prompt", "null_text"}) {
      for (const int64_t steps : {10, 20, 40}) {
        for (const double w : {1.0, 7.5}) run.trials.push_back({.method = method, .steps = steps, .w = w});
      }
    }
    run.trials.erase(run.trials.begin());
    run.edit = [](const MadeTrial& trial, int64_t image, store::Record& record) {
      const double w = trial.method == "negative_prompt" ? 1 : trial.w;
      const double at_one = 20 + 5 * hashed(image) + std::log2(static_cast<double>(trial.steps));
      const double psnr = at_one - 0.5 * (w - 1) + (trial.method == "null_text" ? 2 : 0);
      record.values["psnr"] = psnr;
      record.values["mse"] = (1 + hashed(image)) / static_cast<double>(trial.steps);
      record.values["fit_nfe"] = int64_t{trial.method == "null_text" ? trial.steps * 100 : 0};
    };
    return run;
  }

  ClaimCheck check(const std::string& text) {
    static const TemporaryFolder folder;
    static const Results results(make_run(folder.path() / "run", run()));
    return check_claim(parse_claim(text, "test"), results);
  }
  ClaimCheck check(const std::string& text, const MadeRun& made) {
    const TemporaryFolder folder;
    const Results results(make_run(folder.path() / "run", made));
    return check_claim(parse_claim(text, "test"), results);
  }
  Verdict verdict(const std::string& text) { return check(text).verdict; }
};

TEST_F(Claims, OrderHoldsForEachSettingLeftOpen) {
  const ClaimCheck found = check("psnr[method=ddim] < psnr[method=null_text] (p < 0.05)");
  EXPECT_EQ(found.verdict, Verdict::kHolds);
  ASSERT_EQ(found.relations.size(), 6u) << "three steps times two w";
  EXPECT_EQ(found.relations[0].setting, "steps 10, w 1");
  EXPECT_NEAR(found.relations[0].right - found.relations[0].left, 2, 1e-9);
  EXPECT_NEAR(found.relations[0].p, 6.0 / 256, 1e-12) << "1/2^8, Holm over six";
}

TEST_F(Claims, OrderFailsWhereItIsTheOtherWayRound) {
  EXPECT_EQ(verdict("psnr[method=ddim] > psnr[method=null_text]"), Verdict::kFails);
  EXPECT_EQ(verdict("psnr[method=ddim] >= psnr[method=null_text]"), Verdict::kFails);
}

TEST_F(Claims, ALevelThatTheImagesCannotReachIsUndecided) {
  EXPECT_EQ(verdict("psnr[method=ddim] < psnr[method=null_text] (p < 0.01)"), Verdict::kUndecided);
}

TEST_F(Claims, ChainsJudgeEveryLink) {
  const std::string links =
      "psnr[method=ddim, w=7.5] < psnr[method=negative_prompt, w=7.5] <= psnr[method=null_text, w=1]";
  EXPECT_EQ(check(links).relations.size(), 6u);
  EXPECT_EQ(verdict(links), Verdict::kHolds);
  EXPECT_EQ(verdict("psnr[method=ddim] < psnr[method=null_text] < psnr[method=ddim]"), Verdict::kFails);
}

TEST_F(Claims, EqualityHoldsWhateverIsLeftOpen) {
  const std::string npi = "psnr[method=negative_prompt] = psnr[method=ddim, w=1] within 1e-6";
  EXPECT_EQ(verdict(npi), Verdict::kHolds);
  EXPECT_EQ(check(npi).relations.size(), 6u) << "three steps times the two w of negative_prompt";
  EXPECT_EQ(verdict("psnr[method=negative_prompt] = psnr[method=ddim] within 1e-6"), Verdict::kFails);
  EXPECT_EQ(verdict("psnr[method=negative_prompt] = psnr[method=ddim] within 4"), Verdict::kHolds);
}

TEST_F(Claims, AStrictOrderOfEqualsFails) {
  EXPECT_EQ(verdict("psnr[method=negative_prompt] < psnr[method=ddim, w=1]"), Verdict::kFails);
  EXPECT_EQ(verdict("psnr[method=negative_prompt] <= psnr[method=ddim, w=1]"), Verdict::kHolds);
}

TEST_F(Claims, CostRatios) {
  EXPECT_EQ(verdict("nfe[method=ddim] <= nfe[method=null_text] / 20"), Verdict::kHolds);
  EXPECT_EQ(verdict("nfe[method=ddim] <= nfe[method=null_text] / 200"), Verdict::kFails);
}

TEST_F(Claims, SlopesOverAnAxis) {
  EXPECT_EQ(verdict("slope(mse, steps)[method=ddim] = -1 within 1e-9"), Verdict::kHolds);
  EXPECT_EQ(verdict("slope(mse, steps)[method=ddim] < -2"), Verdict::kFails);
}

TEST_F(Claims, BoundsAndArithmetic) {
  EXPECT_EQ(verdict("psnr[method=null_text] - psnr[method=ddim] = 2 within 1e-9"), Verdict::kHolds);
  EXPECT_EQ(verdict("psnr >= (10 + 2) * 1.5"), Verdict::kHolds);
  EXPECT_EQ(verdict("-psnr >= -18"), Verdict::kFails);
  EXPECT_EQ(verdict("failed = 0"), Verdict::kHolds);
}

TEST_F(Claims, NoiseIsUndecided) {
  MadeRun noisy = run();
  noisy.edit = [](const MadeTrial& trial, int64_t image, store::Record& record) {
    record.values["psnr"] = hashed(image, trial.method == "ddim" ? 1 : 2);
  };
  EXPECT_EQ(check("psnr[method=ddim, steps=10, w=1] < psnr[method=null_text, steps=10, w=1]", noisy).verdict,
            Verdict::kUndecided);
}

TEST_F(Claims, OneImageClaimsNoInterval) {
  MadeRun lonely = run();
  lonely.images = 1;
  const ClaimCheck found = check("psnr[method=ddim] < psnr[method=null_text]", lonely);
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_THAT(one_line(found.relations[0]), HasSubstr("one image: no interval"));
}

TEST_F(Claims, FailedAndInfiniteRecordsAreCountedNotDroppedInSilence) {
  MadeRun broken = run();
  broken.edit = [base = broken.edit](const MadeTrial& trial, int64_t image, store::Record& record) {
    base(trial, image, record);
    if (trial.method != "ddim") return;
    if (image == 3) record.values["status"] = std::string("failed");
    if (image == 5) record.values["psnr"] = std::numeric_limits<double>::infinity();
  };
  const ClaimCheck found = check("psnr[method=ddim] < psnr[method=null_text]", broken);
  EXPECT_EQ(found.relations[0].images, 6);
  EXPECT_EQ(found.relations[0].left_out, 2);
  EXPECT_EQ(check("failed[method=ddim] = 0", broken).verdict, Verdict::kUndecided);
}

TEST_F(Claims, SeedsAreReplicates) {
  MadeRun run;
  run.trials = {{.method = "ddim", .seed = 0}, {.method = "ddim", .seed = 1}, {.method = "null_text", .seed = 0}};
  run.edit = [](const MadeTrial& trial, int64_t image, store::Record& record) {
    record.values["psnr"] = static_cast<double>(image) + (trial.method == "ddim" ? 2.0 * trial.seed : 1.0);
  };
  EXPECT_EQ(check("psnr[method=ddim] = psnr[method=null_text]", run).verdict, Verdict::kHolds);
  EXPECT_EQ(check("psnr[method=ddim] = psnr[method=null_text]", run).relations[0].images, 8);
}

TEST_F(Claims, CellsThatAreNotThereDecideNothing) {
  const ClaimCheck found = check("psnr[method=edict] > 0");
  EXPECT_EQ(found.verdict, Verdict::kUndecided);
  EXPECT_EQ(found.why, "the run has no cell [method=edict]");
}

TEST_F(Claims, WrongNamesAreErrors) {
  EXPECT_THAT(error_of([&] { check("psnrr > 0"); }), HasSubstr("no column 'psnrr'. Did you mean 'psnr'?"));
  EXPECT_THAT(error_of([&] { check("psnr[methd=ddim] > 0"); }), HasSubstr("Did you mean 'method'?"));
}

TEST(ClaimParser, SaysWhereItStopped) {
  const auto message = [](const std::string& text) {
    return error_of([&] { parse_claim(text, "x.yaml:3"); }, ErrorKind::kParse);
  };
  EXPECT_EQ(message("psnr"), "x.yaml:3: column 5: found the end; expected a relation: <, <=, >, >= or =");
  EXPECT_EQ(message("psnr[method=ddim < 3"), "x.yaml:3: column 21: found the end; expected ']'");
  EXPECT_EQ(message("psnr > "), "x.yaml:3: column 8: found the end; expected a name");
  EXPECT_EQ(message("psnr > 3 (q < 1)"), "x.yaml:3: column 11: found 'q < 1)'; expected p");
  EXPECT_EQ(message("psnr > 3 dB"), "x.yaml:3: column 10: found 'dB'; expected the end");
  EXPECT_EQ(message("slope(mse) < 0"), "x.yaml:3: column 10: found ') < 0'; expected ','");
  EXPECT_THAT(message(std::string(5000, '(') + "1"), HasSubstr("fewer parentheses"));
}

TEST(ClaimParser, ReadsSelectors) {
  const Selector found = parse_selector("method = ddim, p.method.inner_steps=10", "--where");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1], (std::pair<std::string, std::string>("p.method.inner_steps", "10")));
}

TEST(Expectations, AreReadFromAConfig) {
  const hydra::Node config = hydra::parse_yaml(
      "expect:\n- psnr > 1\n- claim: psnr[eps_at=t-1] > 2\n  says: better\n  source: a paper\n", "e.yaml");
  const std::vector<Claim> claims = claims_in(config, "e.yaml");
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[1].says, "better");
  EXPECT_EQ(std::get<Measure>(claims[1].operands[0]->form).where[0].second, "t-1");
  EXPECT_TRUE(claims_in(hydra::parse_yaml("steps: 3\n", "e.yaml"), "e.yaml").empty());
}

TEST(Expectations, NameTheLineOfAMistake) {
  const auto message = [](const char* yaml, ErrorKind kind) {
    return error_of([&] { claims_in(hydra::parse_yaml(yaml, "e.yaml"), "e.yaml"); }, kind);
  };
  EXPECT_THAT(message("expect:\n- psnr >\n", ErrorKind::kParse), HasSubstr("e.yaml:2: column 7"));
  EXPECT_THAT(message("expect:\n- clam: x\n", ErrorKind::kType), HasSubstr("Did you mean 'claim'?"));
  EXPECT_THAT(message("expect: 3\n", ErrorKind::kType), HasSubstr("expected a list of claims"));
}

}  // namespace
}  // namespace roundtrip::analysis
