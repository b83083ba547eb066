#include "session/edit_scores.h"

#include <utility>

#include "columns/scores.h"
#include "session/pixels.h"

namespace roundtrip::session {
namespace {

using columns::View;

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

// Gives the pair what an edit is scored against.
Pair of_edit(Pair pair, const EditTarget& target) {
  pair.caption = target.prompt;
  pair.source_caption = target.source_prompt;
  pair.mask = target.mask;
  pair.target = target.pixels;
  return pair;
}

bool applies(View view, const EditTarget& target) {
  if (view == View::kEdit) return target.pixels.defined();
  return view == View::kSource || target.mask.defined();
}

}  // namespace

std::vector<store::Column> score_columns(const metrics::MetricInfo& metric, const Protocol& protocol, bool edits,
                                         bool with_floor) {
  const store::Column own = own_column(metric);
  std::vector<store::Column> all;
  if (scores_whole(protocol, metric, edits)) all.push_back(own);
  if (with_floor && metric.has_floor) all.push_back(columns::score_column(View::kCodec, own));
  if (!edits) return all;
  for (const View view : edit_views(protocol)) {
    if (!has_view(metric, view)) continue;
    all.push_back(columns::score_column(view, own));
    if (with_floor && metric.has_floor && is_background(view)) {
      all.push_back(columns::score_column(View::kCodec, all.back()));
    }
  }
  return all;
}

void fill_scores(store::Record& record, const std::vector<std::string>& metrics, const Protocol& protocol,
                 const Scores& scores) {
  for (const std::string& name : metrics) {
    const metrics::MetricInfo& info = metrics::Metric::Plugins::info(name);
    for (const store::Column& column : score_columns(info, protocol, /*edits=*/true, /*with_floor=*/true)) {
      const auto score = scores.find(column.name);
      if (score != scores.end()) record.values[column.name] = score->second;
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

engine::Task<Scores> all_scores(Scorer& scorer, Protocol protocol, Pair pair, std::optional<EditTarget> target) {
  if (target) pair = of_edit(std::move(pair), *target);
  engine::Task<Scores> whole = scorer.score(pair);
  Scores named = co_await whole;
  if (!target) co_return named;
  for (const View view : edit_views(protocol)) {
    if (!applies(view, *target)) continue;
    engine::Task<Scores> viewed = scorer.score(view, pair);
    named.merge(co_await viewed);
  }
  co_return named;
}

engine::Task<Scores> floor_scores(Scorer& scorer, Protocol protocol, Pair pair, std::optional<EditTarget> target) {
  if (target) pair = of_edit(std::move(pair), *target);
  engine::Task<Scores> whole = scorer.score(View::kCodec, pair);
  Scores named = co_await whole;
  for (const View view : edit_views(protocol)) {
    if (!target || !is_background(view) || !applies(view, *target)) continue;
    engine::Task<Scores> viewed = scorer.score(view, pair);
    const Scores scores = co_await viewed;
    for (const auto& [column, score] : scores) named[columns::score_name(View::kCodec, column)] = score;
  }
  co_return named;
}

}  // namespace roundtrip::session
