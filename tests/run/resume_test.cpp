// Runs taken up again: what is there is kept, what is missing is made, another plan or other inputs are refused.
#include <cmath>

#include <gmock/gmock.h>

#include "support/sweep_fixture.h"

namespace roundtrip::run {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ResumedSweep : public testing::SweepFixture {
 protected:
  RunOutcome resume(const plan::Plan& planned, const std::string& name, Resume how = Resume::kSame,
                    bool retry_failed = false) const {
    return run_plan(planned, {.directory = folder_ / name,
                              .stop = {},
                              .log = log_,
                              .provenance = {},
                              .resume = how,
                              .retry_failed = retry_failed});
  }

  // A run that is stopped after some of its records.
  RunOutcome stopped(const plan::Plan& planned, const std::string& name, int looks) const {
    int calls = 0;
    return run(planned, name, [&] { return ++calls > looks; });
  }

  std::string error_of(const std::function<void()>& action) const {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const std::vector<std::string> strict_ = {"-m",           "steps=2,3",          "engine.determinism=strict",
                                            "eps_at=t,t-1", "engine.max_batch=2", "engine.max_live=2"};
};

// Every number that a clock or a neighbour has no part in.
void expect_equal_tables(const fs::path& a, const fs::path& b) {
  const store::ResultsReader one(a), other(b);
  ASSERT_EQ(one.records(), other.records());
  for (const store::Column& column : one.columns()) {
    const std::string& name = column.name;
    if (name.ends_with("_seconds") || name == "peak_memory_bytes" || name == "batch_rows") continue;
    if (column.type == store::ColumnType::kString) {
      EXPECT_EQ(one.texts(name), other.texts(name)) << name;
      continue;
    }
    const auto ours = one.numbers(name), theirs = other.numbers(name);
    for (size_t k = 0; k < ours.size(); ++k) {
      EXPECT_TRUE(ours[k] == theirs[k] || (std::isnan(ours[k]) && std::isnan(theirs[k]))) << name << " of row " << k;
    }
  }
  EXPECT_EQ(one.steps().pivot_distance, other.steps().pivot_distance);
}

TEST_F(ResumedSweep, EndsWithTheNumbersOfAnUninterruptedOne) {
  const plan::Plan planned = plan(strict_);
  const RunOutcome whole = run(planned, "whole");
  const RunOutcome part = stopped(planned, "part", 25);
  ASSERT_TRUE(part.interrupted);
  ASSERT_LT(part.records, whole.records);
  ASSERT_GT(part.records, 0);
  const RunOutcome rest = resume(planned, "part");
  EXPECT_EQ(rest.records, whole.records);
  EXPECT_LT(rest.evaluations, whole.evaluations);
  EXPECT_TRUE(store::ResultsReader(rest.results).complete());
  EXPECT_EQ(rest.table.substr(0, rest.table.find("NFE")), whole.table.substr(0, whole.table.find("NFE")));
  expect_equal_tables(whole.results, rest.results);
  EXPECT_EQ(store::ResultsReader(rest.results).provenance().at("evaluations_made"),
            fmt::format("{}", part.evaluations + rest.evaluations));
}

TEST_F(ResumedSweep, MakesNothingWhereNothingIsMissing) {
  const plan::Plan planned = plan({"-m", "steps=2,3"});
  run(planned, "out");
  const RunOutcome again = resume(planned, "out");
  EXPECT_EQ(again.evaluations, 0);
  EXPECT_EQ(again.records, 6);
}

TEST_F(ResumedSweep, RefusesAnotherGridAndSaysHowItDiffers) {
  run(plan({"-m", "steps=2,3"}), "out");
  const auto refusal = [&](std::vector<std::string> words) {
    return error_of([&] { resume(plan(std::move(words)), "out"); });
  };
  EXPECT_THAT(refusal({"-m", "steps=2,4"}), HasSubstr("trial 1: steps was 3, is 4"));
  EXPECT_THAT(refusal({"-m", "steps=2,3,4"}), HasSubstr("3 trials, where the run has 2"));
  EXPECT_THAT(refusal({"-m", "steps=2,3", "dataset.limit=2"}), HasSubstr("4 records, where the run has 6"));
  EXPECT_THAT(refusal({"-m", "steps=2,3", "dataset.ids=[p2,p1,p0]"}), HasSubstr("other images"));
  EXPECT_EQ(resume(plan({"-m", "steps=2,3", "engine.max_batch=7"}), "out").evaluations, 0);  // how, not what
}

TEST_F(ResumedSweep, RefusesAnImageThatHasChanged) {
  const plan::Plan planned = plan({"steps=2"});
  run(planned, "out");
  write_photo("p0.png", 9);
  EXPECT_THAT(error_of([&] { resume(planned, "out"); }), HasSubstr("sample p0: its image, prompt or edits"));
}

TEST_F(ResumedSweep, ExtendsTheGridByTrialsAndImages) {
  const std::vector<std::string> base = {"steps=3", "engine.determinism=strict", "engine.max_batch=2"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), base.begin(), base.end());
    return plan(more);
  };
  const RunOutcome small = run(with({"-m", "guidance_scale=3", "dataset.ids=[p0,p2]"}), "out");
  const plan::Plan grown = with({"-m", "guidance_scale=1,3", "seed=0,1"});
  const RunOutcome all = resume(grown, "out", Resume::kExtend);
  EXPECT_EQ(all.records, 12);
  expect_equal_tables(run(grown, "alone").results, all.results);
  EXPECT_EQ(small.records, 2);

  EXPECT_THAT(error_of([&] { resume(with({"guidance_scale=1"}), "out", Resume::kExtend); }),
              HasSubstr("which is not asked for now"));
  EXPECT_EQ(store::ResultsReader(all.results).records(), 12);  // untouched
}

TEST_F(ResumedSweep, TriesFailedRecordsAnewWhereAsked) {
  std::ofstream(folder_ / "photos" / "broken.png") << "not a png";
  const plan::Plan planned = plan({"-m", "steps=2,3"});
  EXPECT_EQ(run(planned, "out").failures.size(), 2u);
  EXPECT_EQ(resume(planned, "out").failures.size(), 2u);
  EXPECT_EQ(resume(planned, "out", Resume::kSame, true).failures.size(), 2u);  // still broken
  const store::ResultsReader results(folder_ / "out" / "results.h5");
  EXPECT_EQ(results.records(), 8);
  const std::vector<std::string> status = results.texts("status");
  EXPECT_EQ(std::ranges::count(status, "failed"), 2);
}

TEST_F(ResumedSweep, GivesUpAfterAsManyFailuresAsAreAllowed) {
  for (const char* name : {"a.png", "b.png", "c.png"}) std::ofstream(folder_ / "photos" / name) << name;
  const plan::Plan planned = plan({"-m", "steps=2,3", "engine.max_live=1", "engine.max_batch=1"});
  const RunOutcome outcome =
      run_plan(planned, {.directory = folder_ / "out", .stop = {}, .log = log_, .max_failures = 0});
  EXPECT_TRUE(outcome.gave_up);
  EXPECT_LT(outcome.records, 12);
  EXPECT_EQ(resume(planned, "out").records, 12);
}

TEST_F(ResumedSweep, KeepsTheEightWorstOverAllItsProcesses) {
  for (int k = 3; k < 7; ++k) write_photo(fmt::format("p{}.png", k), k);
  const std::vector<std::string> words = {"-m", "steps=2,3", "save.images=worst-8", "engine.determinism=strict",
                                          "engine.max_batch=2"};
  const auto kept = [&](const std::string& name) {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder_ / name / "images")) {
      files.push_back(entry.path().filename().string());
    }
    std::ranges::sort(files);
    return files;
  };
  run(plan(words), "whole");
  ASSERT_TRUE(stopped(plan(words), "part", 20).interrupted);
  resume(plan(words), "part");
  EXPECT_EQ(kept("part"), kept("whole"));
}

}  // namespace
}  // namespace roundtrip::run
