// The gate catches what it is there for, passes on a rerun, and never passes by measuring nothing.
#include "analysis/gate/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/gate/baseline.h"
#include "analysis/made_run.h"
#include "base/json.h"
#include "support/error_of.h"

namespace roundtrip::analysis {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::Not;

// Two cells of eight images: ddim at 10 and 20 steps.
MadeRun good_run() {
  MadeRun run;
  run.trials = {{.steps = 10}, {.steps = 20}};
  return run;
}

MadeRun with(const std::function<void(const MadeTrial&, int64_t, store::Record&)>& edit) {
  MadeRun run = good_run();
  run.edit = edit;
  return run;
}

double& number(store::Record& record, const std::string& column) { return std::get<double>(record.values[column]); }

class Gate : public ::testing::Test {
 protected:
  Results results(const std::string& name, const MadeRun& run) {
    return Results(make_run(folder_.path() / name, run), images_);
  }
  GateReport judge(const MadeRun& candidate, const GateOptions& options = {}) {
    const std::string number = std::to_string(++judged_);
    return judge_run(results("baseline" + number, good_run()), results("candidate" + number, candidate), options);
  }
  // The verdict on one metric of the 10-step cell.
  static const GateLine& line(const GateReport& report, const std::string& metric) {
    const auto found = std::ranges::find(report.quality, metric, &GateLine::metric);
    EXPECT_NE(found, report.quality.end()) << metric;
    return *found;
  }

  TemporaryFolder folder_;
  int judged_ = 0;
  std::shared_ptr<Names> images_ = std::make_shared<Names>();
};

TEST_F(Gate, PassesOnARerun) {
  const GateReport report = judge(good_run(), {.timing = true});
  EXPECT_EQ(report.exit_code(), 0) << report.summary();
  EXPECT_EQ(report.summary(), "passed: 10 pass, 0 fail, 0 missing, 0 inconclusive, 0 new");
}

TEST_F(Gate, ReadsABaselineOlderThanAnAxis) {
  MadeRun old = good_run();
  old.lacks = {"editor"};
  const GateReport report = judge_run(results("old", old), results("new", good_run()), {});
  EXPECT_EQ(report.exit_code(), 0) << report.summary();
  EXPECT_EQ(report.summary(), "passed: 8 pass, 0 fail, 0 missing, 0 inconclusive, 0 new");

  const GateReport edited = judge_run(
      results("before", old),
      results("after", with([](auto&, int64_t, auto& record) { record.values["editor"] = std::string("masactrl"); })),
      {});
  EXPECT_EQ(edited.exit_code(), 5) << edited.summary();
}

TEST_F(Gate, CatchesAFifthOfADecibelOnEveryImage) {
  const GateReport report = judge(with([](auto&, int64_t, store::Record& record) { number(record, "psnr") -= 0.2; }));
  EXPECT_EQ(report.exit_code(), 4);
  EXPECT_EQ(line(report, "psnr").verdict, GateVerdict::kFail);
  EXPECT_NEAR(line(report, "psnr").worsening, 0.2, 1e-9);
  EXPECT_EQ(line(report, "mse").verdict, GateVerdict::kPass) << "each metric by itself";
}

TEST_F(Gate, PassesAnImprovement) {
  EXPECT_EQ(judge(with([](auto&, int64_t, store::Record& record) { number(record, "psnr") += 3; })).exit_code(), 0);
}

TEST_F(Gate, LossOnAFewImagesIsInconclusive) {
  const GateReport report = judge(with([](auto&, int64_t image, store::Record& record) {
    if (image == 2) number(record, "psnr") -= 1.6;  // 0.2 dB in the mean, from one image of eight
  }));
  EXPECT_EQ(line(report, "psnr").verdict, GateVerdict::kInconclusive);
  EXPECT_EQ(report.exit_code(), 5);
}

TEST_F(Gate, CatchesADroppedImage) {
  MadeRun run = good_run();
  run.has = [](const MadeTrial& trial, int64_t image) { return trial.steps != 10 || image != 3; };
  const GateReport report = judge(run);
  EXPECT_EQ(report.exit_code(), 4);
  EXPECT_EQ(line(report, "psnr").note, "1 images are missing");
}

TEST_F(Gate, CatchesFailedAndUnmeasuredImages) {
  EXPECT_EQ(judge(with([](auto&, int64_t image, store::Record& record) {
              if (image == 3) record.values["status"] = std::string("failed");
            })).exit_code(),
            4);
  const GateReport report = judge(with([](auto&, int64_t, store::Record& record) { record.values.erase("psnr"); }));
  EXPECT_EQ(report.exit_code(), 4);
  EXPECT_EQ(line(report, "psnr").note, "8 images have no value");
}

TEST_F(Gate, CatchesImagesThatWereExact) {
  const auto exact = [](auto&, int64_t image, store::Record& record) {
    if (image == 0) number(record, "psnr") = std::numeric_limits<double>::infinity();
  };
  const Results baseline = results("exact", with(exact));
  const GateReport report = judge_run(baseline, results("candidate", good_run()), {});
  EXPECT_EQ(line(report, "psnr").note, "1 images are no longer exact");
  EXPECT_EQ(report.exit_code(), 4);
  EXPECT_EQ(judge_run(baseline, results("again", with(exact)), {}).exit_code(), 0);
}

TEST_F(Gate, CatchesARenamedMetric) {
  MadeRun run = good_run();
  run.metrics[1].name = "psnr_db";
  run.edit = [](auto&, int64_t, store::Record& record) { record.values["psnr_db"] = record.values["psnr"]; };
  const GateReport report = judge(run);
  EXPECT_EQ(report.exit_code(), 4);
  EXPECT_EQ(line(report, "psnr").verdict, GateVerdict::kMissing);
  EXPECT_EQ(line(report, "psnr_db").verdict, GateVerdict::kNew);
}

TEST_F(Gate, CatchesAMissingCellAndNamesANewOne) {
  MadeRun run = good_run();
  run.trials = {{.steps = 10}, {.steps = 50}};
  const GateReport report = judge(run);
  EXPECT_EQ(report.exit_code(), 4);
  EXPECT_EQ(report.count(GateVerdict::kMissing), 1);
  EXPECT_EQ(report.count(GateVerdict::kNew), 1);
}

TEST_F(Gate, AnEmptyRunComparesNothing) {
  MadeRun empty = good_run();
  empty.has = [](auto&, int64_t) { return false; };
  const GateReport report = judge(empty);
  EXPECT_EQ(report.exit_code(), 5);
  EXPECT_THAT(report.summary(), HasSubstr("nothing compared"));
}

TEST_F(Gate, NothingInCommonComparesNothing) {
  MadeRun other = good_run();
  other.trials = {{.method = "edict"}};
  EXPECT_EQ(judge(other).exit_code(), 5);
  MadeRun other_images = good_run();
  other_images.edit = [](auto&, int64_t image, store::Record& record) {
    record.values["sample"] = "elsewhere/" + std::to_string(image);
  };
  EXPECT_EQ(judge(other_images).exit_code(), 5) << "the cells are there, but no image of them";
}

TEST_F(Gate, MoreEvaluationsAreALoss) {
  const GateReport report =
      judge(with([](auto&, int64_t, store::Record& record) { record.values["fit_nfe"] = int64_t{1}; }));
  EXPECT_EQ(line(report, "nfe").verdict, GateVerdict::kFail);
}

TEST_F(Gate, RefusesMetricsOfAnotherVersion) {
  MadeRun run = good_run();
  run.metrics[1].version = "psnr-2";
  EXPECT_THAT(error_of([&] { judge(run); }), HasSubstr("psnr of version 'psnr-2'; expected 'psnr-1'"));
}

TEST_F(Gate, OfOneImageTheDifferenceDecidesAndNoIntervalIsClaimed) {
  MadeRun one = good_run();
  one.images = 1;
  const Results baseline = results("one", one);
  one.edit = [](auto&, int64_t, store::Record& record) { number(record, "psnr") -= 0.2; };
  const GateReport report = judge_run(baseline, results("worse", one), {});
  EXPECT_EQ(line(report, "psnr").verdict, GateVerdict::kFail);
  EXPECT_FALSE(line(report, "psnr").interval.known());
}

TEST_F(Gate, CatchesATwofoldSlowdownWhenAskedForTiming) {
  const MadeRun slow = with([](auto&, int64_t, store::Record& record) {
    number(record, "invert_seconds") *= 2;
    number(record, "sample_seconds") *= 2;
  });
  EXPECT_EQ(judge(slow).exit_code(), 0) << "quality and timing are judged apart";
  const GateReport report = judge(slow, {.timing = true});
  EXPECT_EQ(report.exit_code(), 4);
  ASSERT_EQ(report.timing.size(), 2u);
  EXPECT_EQ(report.timing[0].verdict, GateVerdict::kFail);
}

TEST_F(Gate, RefusesToTimeUnlikeMachines) {
  MadeRun elsewhere = good_run();
  elsewhere.provenance["processor"] = "another abacus";
  EXPECT_EQ(judge(elsewhere).exit_code(), 0);
  EXPECT_THAT(error_of([&] { judge(elsewhere, {.timing = true}); }),
              HasSubstr("timed with processor 'another abacus'; expected 'an abacus'"));
}

TEST_F(Gate, TolerancesComeFromYamlByMetricAndCell) {
  const MadeRun worse = with([](auto&, int64_t, store::Record& record) { number(record, "psnr") -= 0.2; });
  GateOptions options;
  options.tolerances = Tolerances::read(folder_.write("t.yaml", "quality:\n- {metric: psnr, absolute: 0.3}\n"));
  EXPECT_EQ(judge(worse, options).exit_code(), 0);
  options.tolerances =
      Tolerances::read(folder_.write("t.yaml", "quality:\n- {metric: psnr, where: \"steps=10\", absolute: 0.3}\n"));
  const GateReport report = judge(worse, options);
  EXPECT_EQ(report.count(GateVerdict::kFail), 1) << "the cell of 20 steps alone";
}

TEST_F(Gate, WrongTolerancesNameTheirLine) {
  const auto message = [&](const char* yaml, ErrorKind kind = ErrorKind::kType) {
    return error_of([&] { Tolerances::read(folder_.write("t.yaml", yaml)); }, kind);
  };
  EXPECT_THAT(message("quality:\n- {metrik: psnr}\n"), HasSubstr("t.yaml:2: 'metrik'; expected one of"));
  EXPECT_THAT(message("quality:\n- {metric: psnr, absolute: -1}\n"), HasSubstr("absolute is -1; expected 0 or more"));
  EXPECT_THAT(message("qualty: []\n"), HasSubstr("Did you mean 'quality'?"));
  EXPECT_THAT(message("quality:\n- {where: \"steps\"}\n", ErrorKind::kParse), HasSubstr("expected '='"));
}

TEST_F(Gate, WritesItsFindingsForEveryReader) {
  MadeRun run = good_run();
  run.trials[0].method = "ddim";
  run.edit = [](auto&, int64_t, store::Record& record) { number(record, "psnr") -= 0.2; };
  const GateReport report = judge(run);
  EXPECT_THAT(gate_junit(report),
              HasSubstr("<testsuite name=\"roundtrip regress: quality\" tests=\"8\" failures=\"2\""));
  EXPECT_THAT(gate_junit(report), HasSubstr("<failure type=\"fail\" message=\""));
  EXPECT_THAT(gate_annotations(report), HasSubstr("::error title=psnr fail (10 steps)::"));
  EXPECT_THAT(gate_markdown(report), HasSubstr("| fail | 10 steps | psnr |"));
  const nlohmann::json json = parse_json(gate_json(report), "gate");
  EXPECT_EQ(json.at("exit_code"), 4);
  EXPECT_EQ(json.at("quality").size(), 8u);
}

TEST_F(Gate, EscapesNamesThatWouldBreakTheirFormats) {
  GateReport report;
  report.quality.push_back({.verdict = GateVerdict::kFail, .cell = "a<b>&\"c\",%|\n:", .metric = "m", .images = 1});
  EXPECT_THAT(gate_junit(report), HasSubstr("classname=\"a&lt;b&gt;&amp;&quot;c&quot;,%|\n:\""));
  EXPECT_THAT(gate_annotations(report), HasSubstr("(a<b>&\"c\"%2C%25|%0A%3A)::"));
  EXPECT_THAT(gate_markdown(report), HasSubstr("a<b>&\"c\",%\\|"));
}

TEST_F(Gate, AnnotationsStopAtTenAndCountTheRest) {
  GateReport report;
  report.quality.assign(13, {.verdict = GateVerdict::kFail, .cell = "c", .metric = "m", .images = 1});
  EXPECT_THAT(gate_annotations(report), HasSubstr("and 3 more"));
}

TEST_F(Gate, ABaselineHoldsTheTableAloneAndSaysWhatItChanges) {
  const Results run = results("run", good_run());
  const std::filesystem::path file = folder_.path() / "baselines/ci.h5";
  write_baseline(run, file);
  const Results baseline(file, images_);
  EXPECT_EQ(baseline.records(), 16);
  EXPECT_EQ(baseline.reader().step_rows(), 0);
  EXPECT_EQ(judge_run(baseline, run, {}).exit_code(), 0);
  EXPECT_EQ(baseline_changes(baseline, run), "");
  MadeRun next = with([](auto&, int64_t, store::Record& record) { number(record, "psnr") = 30; });
  next.trials[1].steps = 50;
  const std::string changes = baseline_changes(baseline, results("next", next));
  EXPECT_THAT(changes, HasSubstr("- 20 steps: gone"));
  EXPECT_THAT(changes, HasSubstr("+ 50 steps: 8 records"));
  EXPECT_THAT(changes, HasSubstr("psnr"));
  EXPECT_THAT(changes, Not(HasSubstr("mse")));
}

}  // namespace
}  // namespace roundtrip::analysis
