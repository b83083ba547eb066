#include "session/edit_scores.h"

#include <cmath>
#include <limits>

#include "columns/scores.h"
#include "session/pixels.h"

namespace roundtrip::session {
namespace {

using columns::View;

Tensor unit(const Tensor& image) { return ((image + 1) / 2).clamp(0, 1).unsqueeze(0); }  // [1, 3, H, W] on [0, 1]

// Scores of the metrics that compare two pictures, by the column names of this view.
void add(const Scorer& scorer, View view, const Scores& scores, Scores& named) {
  for (const auto& metric : scorer.metrics()) {
    const metrics::MetricInfo& info = metric->info();
    if (!info.on_pictures() || (view == View::kZeroedBackground && info.whole_pictures)) continue;
    named[columns::score_name(view, info.name)] = scores.at(info.name);
  }
}

store::Column own_column(const metrics::MetricInfo& metric) {
  store::Column column{.name = metric.name,
                       .type = store::ColumnType::kFloat64,
                       .long_name = metric.long_name,
                       .units = metric.units,
                       .direction = metric.direction == metrics::Direction::kHigherIsBetter ? "higher" : "lower",
                       .version = metric.version,
                       .label = metric.label,
                       .digits = metric.digits,
                       .log_axis = metric.log_axis,
                       .perceptual = metric.perceptual,
                       .order = metric.order,
                       .metric = metric.name};
  column.compares = metric.wants.mask || metric.wants.target ? columns::kOfEdit
                    : metric.wants.caption                   ? columns::kCaption
                    : metric.wants.latents                   ? columns::kLatents
                                                             : columns::kPictures;
  return column;
}

}  // namespace

std::vector<store::Column> score_columns(const metrics::MetricInfo& metric, bool edits, bool with_floor) {
  const store::Column own = own_column(metric);
  std::vector<store::Column> all = {own};
  if (with_floor && metric.has_floor) all.push_back(columns::score_column(View::kCodec, own));
  if (!edits || !metric.on_pictures()) return all;
  all.push_back(columns::score_column(View::kEdit, own));
  if (!metric.whole_pictures) all.push_back(columns::score_column(View::kZeroedBackground, own));
  if (metric.background == metrics::Background::kPixels) all.push_back(columns::score_column(View::kBackground, own));
  return all;
}

void fill_scores(store::Record& record, const std::vector<std::string>& metrics, const Scores& scores) {
  for (const std::string& name : metrics) {
    for (const std::string& column :
         {name, columns::score_name(View::kEdit, name), columns::score_name(View::kBackground, name),
          columns::score_name(View::kZeroedBackground, name)}) {
      const auto score = scores.find(column);
      if (score != scores.end()) record.values[column] = score->second;
    }
  }
}

EditTarget edit_target(std::string prompt, const data::EditTruth& truth, const Tensor& source) {
  EditTarget target{.prompt = std::move(prompt), .pixels = {}, .mask = {}};
  if (truth.target) target.pixels = to_pixels(*truth.target, source.options());
  if (truth.mask) {
    const Tensor marked = at::tensor(at::ArrayRef<uint8_t>(*truth.mask), at::kByte);
    target.mask = marked.reshape({1, source.size(1), source.size(2)}).to(source.device(), at::kBool);
  }
  return target;
}

engine::Task<Scores> edit_scores(Scorer& scorer, Tensor source, Tensor result, EditTarget target, Tensor x0, Tensor x) {
  Scores named;
  if (target.pixels.defined()) {
    Pair pair{.reference = target.pixels, .test = result, .x0 = x0, .x = x, .caption = target.prompt};
    engine::Task<Scores> scoring = scorer.score(std::move(pair));
    const Scores scores = co_await scoring;
    add(scorer, View::kEdit, scores, named);
  }
  if (target.mask.defined()) {
    const Tensor black = at::full({}, -1, source.options());
    Pair pair{.reference = at::where(target.mask, black, source),
              .test = at::where(target.mask, black, result),
              .x0 = x0,
              .x = x,
              .caption = target.prompt};
    engine::Task<Scores> scoring = scorer.score(std::move(pair));
    const Scores scores = co_await scoring;
    Scores background;
    add(scorer, View::kZeroedBackground, scores, background);
    const Tensor kept = target.mask.logical_not();
    for (const auto& metric : scorer.metrics()) {
      if (metric->info().background != metrics::Background::kPixels) continue;
      const Tensor score = metric->score_where(unit(source), unit(result), kept.unsqueeze(0));
      background[columns::score_name(View::kBackground, metric->info().name)] = score.item<double>();
    }
    const bool has_background = kept.any().item<bool>();
    for (auto& [column, score] : background) {
      // Two black frames are equal, which says nothing about the edit.
      named[column] = has_background ? score : std::numeric_limits<double>::quiet_NaN();
    }
  }
  co_return named;
}

}  // namespace roundtrip::session
