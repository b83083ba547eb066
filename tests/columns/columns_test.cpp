#include "columns/columns.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "columns/scores.h"

namespace roundtrip::columns {
namespace {

TEST(Columns, AreTheirNamesWithAType) {
  EXPECT_EQ(std::string(kSteps), "steps");
  EXPECT_EQ(kSteps.column().type, store::ColumnType::kInt64);
  EXPECT_EQ(kEta.column().type, store::ColumnType::kFloat64);
  EXPECT_EQ(kMethod.column().type, store::ColumnType::kString);
  store::Record record;
  store::set(record, kEta, 1);
  EXPECT_EQ(std::get<double>(record.values.at("eta")), 1.0);
  EXPECT_EQ(store::get(record, kEta), 1.0);
  EXPECT_EQ(store::get(record, kMethod), "");
}

TEST(Columns, StandInTheTableOnceEach) {
  std::set<std::string> names;
  for (const store::Column& column : table_columns({}, {})) {
    EXPECT_TRUE(names.insert(column.name).second) << column.name;
    EXPECT_FALSE(column.long_name.empty()) << column.name;
  }
  EXPECT_EQ(names.size(), 37u);
}

TEST(Columns, OfASettingAreAxes) {
  EXPECT_TRUE(is_axis("guidance_scale"));
  EXPECT_TRUE(is_axis("p.method.inner_steps"));
  for (const char* other : {"trial", "sample", "edit", "status", "psnr"}) EXPECT_FALSE(is_axis(other)) << other;
  EXPECT_EQ(axis_label("guidance_scale"), "w");
  EXPECT_EQ(axis_label("p.method.inner_steps"), "inner_steps");
  EXPECT_EQ(axis_label("p.save.images"), "save.images");
  EXPECT_EQ(axis_label("psnr"), "psnr");
  EXPECT_EQ(parameter_column("model/scheduler"), "p.model.scheduler");
}

store::Column psnr() {
  store::Column column{.name = "psnr",
                       .type = store::ColumnType::kFloat64,
                       .long_name = "a ratio",
                       .units = "dB",
                       .direction = "higher",
                       .version = "1"};
  column.label = "PSNR";
  column.metric = "psnr";
  column.order = 1;
  return column;
}

TEST(Scores, OfOtherViewsSayWhichTheyAre) {
  const store::Column background = score_column(View::kBackground, psnr());
  EXPECT_EQ(background.name, "background_psnr");
  EXPECT_EQ(background.label, "background PSNR");
  EXPECT_EQ(background.long_name, "a ratio, over the part that the edit may not change");
  EXPECT_EQ(background.metric, "psnr");
  EXPECT_EQ(background.units, "dB");
  EXPECT_TRUE(is_view(background, View::kBackground));
  EXPECT_FALSE(is_view(psnr(), View::kBackground));
  EXPECT_EQ(score_name(View::kZeroedBackground, "mse"), "background_zeroed_mse");
}

TEST(Scores, LeadByTheirOrderAndOfEditsByTheAnswer) {
  store::Column ssim = psnr();
  ssim.name = ssim.metric = "ssim";
  ssim.order = 6;
  const std::vector<store::Column> all = {ssim, score_column(View::kEdit, ssim), psnr(),
                                          score_column(View::kCodec, psnr()), score_column(View::kEdit, psnr())};
  EXPECT_EQ(leading_score(all, false)->name, "psnr");
  EXPECT_EQ(leading_score(all, true)->name, "edit_psnr");
  EXPECT_EQ(leading_score(std::span(all).first(2), true)->name, "edit_ssim");
  EXPECT_EQ(leading_score({}, true), nullptr);
}

}  // namespace
}  // namespace roundtrip::columns
