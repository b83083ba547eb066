#include "analysis/table/measures.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "columns/columns.h"
#include "columns/scores.h"

namespace roundtrip::analysis {
namespace {

store::Column of_old(const char* name, const char* label, const char* compares, int digits, int order) {
  store::Column column;
  column.name = name;
  column.label = label;
  column.metric = name;
  column.compares = compares;
  column.digits = digits;
  column.order = order;
  return column;
}

// Metrics of versions that wrote no attributes. The list is closed: newer files describe their columns.
const std::vector<store::Column>& old_metrics() {
  static const std::vector<store::Column> kMetrics = [] {
    std::vector<store::Column> all = {of_old("psnr", "PSNR", columns::kPictures, 2, 1),
                                      of_old("attribute_accuracy", "attribute accuracy", columns::kCaption, 4, 3),
                                      of_old("lpips", "LPIPS", columns::kPictures, 4, 5),
                                      of_old("ssim", "SSIM", columns::kPictures, 4, 6),
                                      of_old("clip_similarity", "CLIP similarity", columns::kCaption, 4, 7),
                                      of_old("mse", "MSE", columns::kPictures, 5, 8),
                                      of_old("latent_mse", "latent MSE", columns::kLatents, 5, store::kLastOrder)};
    for (store::Column& metric : all) {
      metric.log_axis = metric.name.ends_with("mse");
      metric.perceptual = metric.name == "lpips";
    }
    return all;
  }();
  return kMetrics;
}

void take_display(const store::Column& from, store::Column& to) {
  to.label = from.label;
  to.digits = from.digits;
  to.log_axis = from.log_axis;
  to.perceptual = from.perceptual;
  to.order = from.order;
  to.metric = from.metric;
  to.compares = from.compares;
  to.view = from.view;
}

}  // namespace

void complete_measure(store::Column& column) {
  const std::vector<std::string>& nfe = columns::nfe_columns();
  if (column.name == columns::kGradNfe.name || std::ranges::find(nfe, column.name) != nfe.end()) column.digits = 0;
  if (column.direction.empty() || !column.metric.empty()) return;
  for (const store::Column& metric : old_metrics()) {
    if (column.name == metric.name) return take_display(metric, column);
    for (const auto view :
         {columns::View::kCodec, columns::View::kEdit, columns::View::kBackground, columns::View::kZeroedBackground}) {
      if (column.name == columns::score_name(view, metric.name)) {
        return take_display(columns::score_column(view, metric), column);
      }
    }
  }
}

std::string measure_name(const store::Column& column) {
  if (!column.label.empty()) return column.label;
  std::string words = column.name;
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string measure_label(const store::Column& column) {
  const std::string name = measure_name(column);
  return column.units.empty() ? name : fmt::format("{} ({})", name, column.units);
}

}  // namespace roundtrip::analysis
