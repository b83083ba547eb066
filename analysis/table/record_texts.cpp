#include "analysis/table/record_texts.h"

#include <algorithm>

#include <fmt/format.h>

#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

constexpr int64_t kStretch = 1 << 16;  // rows of text in memory at once

}  // namespace

RecordTexts read_record_texts(const store::ResultsReader& reader, std::span<const std::string> axes,
                              std::span<const int64_t> first_rows, Names& images) {
  const int64_t records = reader.records();
  RecordTexts texts{.failed = std::vector<bool>(records),
                    .image_of = std::vector<int32_t>(records),
                    .of_axes = std::vector<std::vector<std::string>>(axes.size())};
  const size_t task = std::ranges::find(axes, columns::kTask.name) - axes.begin();
  const bool has_edits = reader.has(columns::kEdit) && task < axes.size();
  const auto is_edit = [&](size_t trial) { return has_edits && texts.of_axes[task][trial] == "edit"; };
  size_t trial = 0;   // next to begin
  bool edit = false;  // whether the row's trial edits
  for (int64_t from = 0; from < records; from += kStretch) {
    const int64_t count = std::min(kStretch, records - from);
    const size_t past = std::ranges::lower_bound(first_rows, from + count) - first_rows.begin();
    for (size_t k = 0; k < axes.size(); ++k) {
      for (std::string& text : reader.texts_at(axes[k], first_rows.subspan(trial, past - trial))) {
        texts.of_axes[k].push_back(std::move(text));
      }
    }
    bool edits = edit;
    for (size_t k = trial; k < past; ++k) edits = edits || is_edit(k);
    const store::Texts status = reader.text_views(columns::kStatus, from, count);
    const store::Texts samples = reader.text_views(columns::kSample, from, count);
    const store::Texts targets = edits ? reader.text_views(columns::kEdit, from, count) : store::Texts(count);
    for (int64_t k = 0; k < count; ++k) {
      if (trial < past && first_rows[trial] == from + k) edit = is_edit(trial++);
      texts.failed[from + k] = status[k] != "ok";
      texts.image_of[from + k] = edit && !targets[k].empty()
                                     ? images.number(fmt::format("{} -> {}", samples[k], targets[k]))
                                     : images.number(samples[k]);
    }
  }
  return texts;
}

}  // namespace roundtrip::analysis
