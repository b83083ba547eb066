#include "columns/scores.h"

#include <algorithm>

namespace roundtrip::columns {
namespace {

// The first metric also leads among the scores of edits.
constexpr int kFirst = 1, kEditOfFirst = 2, kBackgroundOfFirst = 4;

struct Words {
  View view;
  const char *name, *label, *long_name;
  int order_of_first;
};

const Words& words_of(View view) {
  static constexpr Words kWords[] = {
      {View::kCodec, "codec", "codec ", ", of encoding and decoding alone", store::kLastOrder},
      {View::kEdit, "edit", "edit ", ", against the edit's exact answer", kEditOfFirst},
      {View::kBackground, "background", "background ", ", over the part that the edit may not change",
       kBackgroundOfFirst},
      {View::kZeroedBackground, "background_zeroed", "zeroed background ",
       ", both images 0 where the edit may change them", store::kLastOrder},
      {View::kEditedPart, "edited_part", "edited part ", ", the image 0 where the edit may not change it",
       store::kLastOrder},
      {View::kSource, "source", "source ", ", of the source and its own prompt", store::kLastOrder},
  };
  return *std::ranges::find(kWords, view, &Words::view);
}

}  // namespace

std::string view_name(View view) { return words_of(view).name; }

std::string score_name(View view, const std::string& metric) { return view_name(view) + "_" + metric; }

store::Column score_column(View view, const store::Column& metric) {
  const Words& words = words_of(view);
  store::Column column = metric;
  column.name = score_name(view, metric.name);
  if (!metric.label.empty()) column.label = words.label + metric.label;
  column.long_name += words.long_name;
  column.order = metric.order == kFirst ? words.order_of_first : store::kLastOrder;
  column.view = words.name;
  return column;
}

bool is_view(const store::Column& column, View view) { return column.view == words_of(view).name; }

const store::Column* leading_score(std::span<const store::Column> columns, bool of_edits) {
  const store::Column* first = nullptr;
  const auto is_better = [&](const store::Column& column) {
    if (first == nullptr) return true;
    const bool here = is_view(column, View::kEdit), there = is_view(*first, View::kEdit);
    return of_edits && here != there ? here : column.order < first->order;
  };
  for (const store::Column& column : columns) {
    const bool counts = column.view.empty() || (of_edits && is_view(column, View::kEdit));
    if (counts && is_better(column)) first = &column;
  }
  return first;
}

}  // namespace roundtrip::columns
