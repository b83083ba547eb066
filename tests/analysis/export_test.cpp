// Tables for papers: every format, layouts, published figures beside ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/export/paper_table.h"
#include "analysis/made_run.h"
#include "base/text.h"
#include "support/error_of.h"

namespace roundtrip::analysis {
namespace {

using roundtrip::testing::error_of;
using roundtrip::testing::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Export : public ::testing::Test {
 protected:
  static MadeRun run() {
    MadeRun run;
    run.images = 3;
    run.trials.clear();
    for (const char* method : {"ddim", "null_text", "negative_prompt"}) {
      for (const double w : {1.0, 7.5}) run.trials.push_back({.method = method, .w = w});
    }
    run.edit = [](const MadeTrial& trial, int64_t image, store::Record& record) {
      record.values["psnr"] = (trial.method == "ddim"        ? 20.0
                               : trial.method == "null_text" ? 26.0
                                                             : 24.0) +
                              static_cast<double>(image) - 1;
    };
    return run;
  }
  ReportData data(const MadeRun& made = run()) {
    return ReportData({std::make_shared<const Results>(make_run(folder_.path() / "run", made))});
  }
  TemporaryFolder folder_;
};

TEST_F(Export, CsvHoldsEveryNumberInFull) {
  const std::string csv = paper_csv(table_of_settings(data(), {{"w", "1"}}, std::nullopt));
  EXPECT_THAT(csv, StartsWith("method,w,mse,mse_low,mse_high,mse_images,mse_missing,mse_infinite,psnr,"));
  EXPECT_THAT(csv, HasSubstr("\nnull_text,1,"));
  EXPECT_THAT(csv, HasSubstr(",26,"));
  EXPECT_EQ(std::ranges::count(csv, '\n'), 4);
}

TEST_F(Export, CsvQuotesWhatNeedsIt) {
  MadeRun odd = run();
  odd.trials = {{.method = "a,\"b\""}, {.method = "c"}};
  EXPECT_THAT(paper_csv(table_of_settings(data(odd), {}, std::nullopt)), HasSubstr("\n\"a,\"\"b\"\"\","));
}

TEST_F(Export, MarkdownMarksBestAndSecond) {
  const std::string text = paper_markdown(table_like(read_layout("npi_table1"), data(), {{"w", "7.5"}}, std::nullopt));
  EXPECT_THAT(text, HasSubstr("| Null-text inversion | **26.00** \u00b1"));
  EXPECT_THAT(text, HasSubstr("| Negative-prompt inversion | <u>24.00</u> \u00b1"));
  EXPECT_THAT(text, HasSubstr("Laid out as Miyake et al. 2023"));
}

TEST_F(Export, LatexIsBooktabsWithPublishedFigures) {
  const std::string text =
      paper_latex(table_like(read_layout("npi_table1"), data(), {{"w", "7.5"}}, read_published("npi_table1")));
  EXPECT_THAT(text, HasSubstr("\\toprule\n & PSNR $\\uparrow$ & published & LPIPS"));
  EXPECT_THAT(text, HasSubstr("Null-text inversion & \\textbf{26.00} {\\scriptsize $\\pm$"));
  EXPECT_THAT(text, HasSubstr("& 26.11 &"));
  EXPECT_THAT(text, HasSubstr("DDIM inversion & 20.00"));
  EXPECT_THAT(text, HasSubstr("\\bottomrule"));
}

TEST_F(Export, LatexEscapes) {
  MadeRun odd = run();
  odd.trials = {{.method = "a_b&50%"}, {.method = "c"}};
  EXPECT_THAT(paper_latex(table_of_settings(data(odd), {}, std::nullopt)), HasSubstr("a\\_b\\&50\\% &"));
}

TEST_F(Export, ALayoutNamesWhatItLeavesOpen) {
  EXPECT_THAT(error_of([&] { table_like(read_layout("npi_table1"), data(), {}, std::nullopt); }),
              HasSubstr("row 'DDIM inversion', column 'PSNR': settings that differ in guidance_scale; expected one"));
}

TEST_F(Export, EveryBuiltInLayoutReads) {
  EXPECT_GE(layout_names().size(), 3u);
  for (const std::string& name : layout_names()) {
    const Layout layout = read_layout(name);
    EXPECT_NE(layout.rows.empty(), layout.each.empty()) << name;
    if (name == "methods" || name == "pie_proper" || name == "pie_types") continue;  // our own: nobody has printed them
    EXPECT_FALSE(read_published(name).values.empty()) << name;
  }
  EXPECT_THAT(error_of([] { read_layout("npi_tabel1"); }, ErrorKind::kMissing),
              HasSubstr("Did you mean 'npi_table1'?"));
}

TEST_F(Export, ALayoutHasARowForEachValueOfAnAxis) {
  const auto each = [&](const std::string& axis, const char* column = "") {
    const auto file = folder_.write("each.yaml", "source: mine\nwhere: 'task=reconstruct'\nrows: {each: " + axis +
                                                     "}\ncolumns:\n- {label: PSNR, of: psnr" + column + "}\n");
    return paper_csv(table_like(read_layout(file.string()), data(), {}, std::nullopt));
  };
  const auto starts = [](const std::string& csv) {
    std::vector<std::string> heads;
    for (const std::string& line : split(csv, '\n'))
      heads.push_back(line.substr(0, line.find(',', line.find(',') + 1)));
    return heads;
  };
  EXPECT_THAT(starts(each("method", ", where: 'w=7.5'")),
              ElementsAre("row,PSNR", "ddim,20", "null_text,26", "negative_prompt,24", ""));
  EXPECT_THAT(starts(each("w", ", where: 'method=null_text'")), ElementsAre("row,PSNR", "1,26", "7.5,26", ""));
  EXPECT_THAT(starts(each("run", ", where: 'method=ddim, w=1'")), ElementsAre("row,PSNR", "run,20", ""));
  EXPECT_THAT(error_of([&] { each("metod"); }), HasSubstr("Did you mean 'method'?"));
}

TEST_F(Export, ALayoutOfTheUsersFactorsAndMistakes) {
  const auto file = folder_.write("mine.yaml",
                                  "source: mine\nrows:\n- {label: a, where: 'method=ddim, w=1'}\ncolumns:\n"
                                  "- {label: PSNR x10, of: psnr, times: 10}\n- {label: none, of: ssim}\n");
  const std::string text = paper_markdown(table_like(read_layout(file.string()), data(), {}, std::nullopt));
  EXPECT_THAT(text, HasSubstr("| a | 200.00 \u00b1"));
  EXPECT_THAT(text, HasSubstr("| \u2013 |"));
  const auto broken = folder_.write("broken.yaml", "source: mine\nrows: []\n");
  EXPECT_THAT(error_of([&] { read_layout(broken.string()); }, ErrorKind::kType),
              HasSubstr("expected the key 'columns'"));
}

}  // namespace
}  // namespace roundtrip::analysis
