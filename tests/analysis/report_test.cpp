// What stands in a report, and that it needs nothing from outside.
#include "analysis/report/report.h"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/claims/claim.h"
#include "analysis/figure/chart.h"
#include "analysis/figure/png.h"
#include "analysis/figure/scale.h"
#include "analysis/made_run.h"

namespace roundtrip::analysis {
namespace {

using roundtrip::testing::TemporaryFolder;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

MadeRun sweep() {
  MadeRun run;
  run.trials.clear();
  for (const char* method : {"ddim", "null_text"}) {
    for (const int64_t steps : {5, 10, 20}) {
      for (const double w : {1.0, 7.5}) run.trials.push_back({.method = method, .steps = steps, .w = w});
    }
  }
  return run;
}

// A grey picture of 8 x 6 pixels for every record.
MadeRun with_pictures() {
  static std::vector<uint8_t> pixels(8 * 6 * 3, 99);
  MadeRun run = sweep();
  run.images = 4;
  run.arrays = [](const MadeTrial&, int64_t) -> std::vector<store::ArrayView> {
    const auto bytes = std::as_bytes(std::span(pixels));
    return {{"images/{row}", store::ArrayType::kUint8, {6, 8, 3}, bytes},
            {"sources/{row}", store::ArrayType::kUint8, {6, 8, 3}, bytes}};
  };
  return run;
}

class Report : public ::testing::Test {
 protected:
  std::shared_ptr<const Results> results(const std::string& name, const MadeRun& run) {
    return std::make_shared<const Results>(make_run(folder_.path() / name, run), images_);
  }
  std::string html(const MadeRun& run, const ReportOptions& options = {}) {
    return report_html({results("run", run)}, options);
  }
  TemporaryFolder folder_;
  std::shared_ptr<Names> images_ = std::make_shared<Names>();
};

TEST_F(Report, HasEverySectionAndNothingFromOutside) {
  const auto run = results("night", with_pictures());
  ReportOptions options{.baseline = results("before", sweep())};
  options.claims.push_back(check_claim(parse_claim("psnr[method=ddim] < psnr[method=null_text]", "test"), *run));
  const std::string page = report_html({run}, options);
  for (const char* id : {"summary", "claims", "settings", "curves", "steps", "tradeoffs", "pictures", "baseline",
                         "timing", "failures", "provenance"}) {
    EXPECT_THAT(page, HasSubstr(std::string("<section id=\"") + id + "\"")) << id;
    EXPECT_THAT(page, HasSubstr(std::string("<a href=\"#") + id + "\"")) << id;
  }
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href)=\"(?!#|data:)"))) << "a link that leads outside";
  EXPECT_THAT(page, Not(HasSubstr("{{")));
  EXPECT_THAT(page, Not(HasSubstr("nan<")));
}

TEST_F(Report, EveryChartHasTitleDescriptionAndAxisLabels) {
  const std::string page = html(sweep());
  const int charts = count_of(page, "<svg class=\"chart\"");
  EXPECT_GE(charts, 6);
  EXPECT_EQ(count_of(page, "role=\"img\" aria-labelledby="), charts);
  EXPECT_EQ(count_of(page, "<desc id="), charts);
  EXPECT_EQ(count_of(page, "class=\"axis-label\""), 2 * charts);
  EXPECT_FALSE(std::regex_search(page, std::regex("<desc[^>]*></desc>"))) << "an empty description";
  EXPECT_THAT(page, HasSubstr(">PSNR (dB)</text>"));
  EXPECT_THAT(page, HasSubstr(">guidance scale w</text>"));
}

TEST_F(Report, PicturesHaveWordsForThem) {
  const std::string page = html(with_pictures());
  EXPECT_GE(count_of(page, "<img "), 9);
  EXPECT_EQ(count_of(page, "<img "), count_of(page, " alt=\""));
  EXPECT_THAT(page, HasSubstr("alt=\"source image photos/"));
  EXPECT_THAT(page, HasSubstr("difference \u00d75"));
}

// Trials of seed 1 edit: there PSNR against the source is no quality, and is higher here to show that nobody ranks it.
MadeRun with_edits() {
  MadeRun run = with_pictures();
  run.metrics.push_back({"edit_psnr", store::ColumnType::kFloat64, "against the exact answer", "dB", "higher", "1"});
  const size_t reconstructions = run.trials.size();
  for (size_t t = 0; t < reconstructions; ++t) {
    MadeTrial trial = run.trials[t];
    trial.seed = 1;
    run.trials.push_back(trial);
  }
  run.edit = [](const MadeTrial& trial, int64_t image, store::Record& record) {
    record.values["edit_psnr"] = kMissing;
    if (trial.seed == 0) return;
    record.values["task"] = std::string("edit");
    record.values["edit"] = std::string("colour");
    record.values["psnr"] = 90.0 + hashed(image, trial.steps) + 0.1 * trial.w;
    record.values["edit_psnr"] = 10.0 + hashed(image, trial.steps);
  };
  return run;
}

TEST_F(Report, ShowsWhatBoundedAnEdit) {
  static const std::vector<uint8_t> planes(2 * 8 * 6, 255);
  MadeRun run = with_edits();
  run.arrays = [pictures = run.arrays](const MadeTrial& trial, int64_t image) {
    std::vector<store::ArrayView> arrays = pictures(trial, image);
    if (trial.seed == 0) return arrays;
    const auto bytes = std::as_bytes(std::span(planes));
    arrays.push_back({"blend_masks/{row}", store::ArrayType::kUint8, {6, 8}, bytes.first(8 * 6)});
    arrays.push_back({"word_maps/{row}", store::ArrayType::kUint8, {2, 6, 8}, bytes});
    return arrays;
  };
  const std::string page = html(run);
  EXPECT_EQ(count_of(page, "<figcaption>region of the edit</figcaption>"), 3);  // of the best, the median, the worst
  EXPECT_EQ(count_of(page, "<figcaption>attention to the words, source</figcaption>"), 3);
  EXPECT_EQ(count_of(page, "<figcaption>attention to the words, target</figcaption>"), 3);
  EXPECT_THAT(page, HasSubstr("alt=\"region of the edit, edit of photos/"));
}

TEST_F(Report, TellsEditsFromReconstructions) {
  const std::string page = html(with_edits());
  EXPECT_THAT(page, HasSubstr("<span class=\"value\">4</span> images"));
  EXPECT_THAT(page, HasSubstr("<span class=\"value\">4</span> edits of them"));
  EXPECT_THAT(page, ContainsRegex("Of reconstructions, the best mean PSNR is <strong>2[0-9]"));
  EXPECT_THAT(page, ContainsRegex("Of edits, the best mean edit PSNR is <strong>1[0-9]"));
  EXPECT_THAT(page, HasSubstr("Best reconstruction: photos/"));
  EXPECT_THAT(page, HasSubstr("Best edit: photos/"));
  EXPECT_THAT(page, HasSubstr("alt=\"edit of photos/"));
  EXPECT_THAT(page, HasSubstr("change \u00d75"));
  // Each task has a best mean of its own, which both methods reach.
  const auto best = [&](const char* digits) {
    const std::regex cell(std::string("class=\"number best\" data-sort=\"") + digits);
    return std::distance(std::sregex_iterator(page.begin(), page.end(), cell), std::sregex_iterator());
  };
  EXPECT_EQ(best("2[0-9][.]"), 2);
  EXPECT_EQ(best("9[0-9][.]"), 2);
}

TEST_F(Report, SaysThatNoPicturesWereKept) { EXPECT_THAT(html(sweep()), HasSubstr("No pictures were kept")); }

TEST_F(Report, OneImageClaimsNoInterval) {
  MadeRun one = sweep();
  one.images = 1;
  const std::string page = html(one);
  EXPECT_THAT(page, Not(HasSubstr("\u00b1")));
  EXPECT_THAT(page, Not(HasSubstr("class=\"band")));
}

TEST_F(Report, CountsFailuresWithTheirReasons) {
  MadeRun run = sweep();
  run.edit = [](const MadeTrial&, int64_t image, store::Record& record) {
    if (image != 2) return;
    record.values["status"] = std::string("failed");
    record.values["error"] = std::string("step 3: <latent> is not finite");
  };
  const std::string page = html(run);
  EXPECT_THAT(page, HasSubstr("step 3: &lt;latent&gt; is not finite"));
  EXPECT_THAT(page, HasSubstr("12 records failed"));
}

TEST_F(Report, CountsExactImagesApart) {
  MadeRun run = sweep();
  run.edit = [](const MadeTrial&, int64_t image, store::Record& record) {
    if (image == 0) record.values["psnr"] = std::numeric_limits<double>::infinity();
  };
  EXPECT_THAT(html(run), HasSubstr("12 images came back exactly"));
}

TEST_F(Report, OfAnEmptyRunSaysSo) {
  MadeRun empty;
  empty.has = [](const MadeTrial&, int64_t) { return false; };
  EXPECT_THAT(html(empty), HasSubstr("The results hold no records."));
}

TEST_F(Report, EscapesWhatFilesSay) {
  MadeRun run = sweep();
  run.trials = {{.method = "<script>alert(1)</script>"}, {.method = "b\"&'"}};
  const std::string page = html(run, {.title = "<b>"});
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("<title>&lt;b&gt; "));
}

TEST_F(Report, OfSeveralRunsNamesThem) {
  const std::string page = report_html({results("first", sweep()), results("second", sweep())}, {});
  EXPECT_THAT(page, HasSubstr("<h1>first and second</h1>"));
  EXPECT_THAT(page, HasSubstr("first: ddim"));
  EXPECT_THAT(page, HasSubstr("second: ddim"));
}

TEST(Chart, LeavesOutWhatCannotBeDrawn) {
  const Chart empty{.title = "t",
                    .description = "d",
                    .x = {.label = "x"},
                    .y = {.label = "y", .logarithmic = true},
                    .series = {{.name = "s", .points = {{.x = 1, .y = 0}, {.x = 2, .y = kMissing}}}}};
  EXPECT_EQ(figure_html(empty, "id"), "");
}

TEST(Scale, PlacesAndTicks) {
  const Scale linear(0, 10, false, 100, 200);
  EXPECT_EQ(linear.place(5), 150);
  EXPECT_THAT(linear.ticks(5), ElementsAre(0, 2, 4, 6, 8, 10));
  const Scale logarithmic(10, 1000, true, 0, 1);
  EXPECT_NEAR(logarithmic.place(100), 0.5, 1e-12);
  EXPECT_THAT(logarithmic.ticks(5), ElementsAre(10, 20, 50, 100, 200, 500, 1000));
  EXPECT_EQ(tick_text(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_text(20, 5), "20");
}

TEST(Png, IsOneThatReadersKnow) {
  // By zlib and Python: the only bytes that a red pixel can have without compression.
  EXPECT_EQ(png_data_uri({.height = 1, .width = 1, .rgb = {255, 0, 0}}),
            "data:image/png;base64,"
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAAD0lEQVR4AQEEAPv/AP8AAAMBAQCNHeWCAAAAAElFTkSuQmCC");
}

TEST(Png, ReducesByMeansOfBlocks) {
  const Picture small = reduced({.height = 2, .width = 2, .rgb = {0, 0, 0, 4, 4, 4, 8, 8, 8, 0, 0, 100}}, 1);
  EXPECT_EQ(small.width, 1);
  EXPECT_THAT(small.rgb, ElementsAre(3, 3, 28));
}

}  // namespace
}  // namespace roundtrip::analysis
