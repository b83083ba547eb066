#include "rescore/run_inputs.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "plan/record_identity.h"

namespace roundtrip::rescore {
namespace {

constexpr const char* kExpectUnchangedInputs =
    "the inputs as they were; dataset.path=... names them where they lie now";

size_t edit_number(const data::Dataset& dataset, size_t sample, const RecordInputs& record) {
  const std::vector<data::EditName> edits = dataset.edits(sample);
  const auto is_it = [&](const data::EditName& edit) { return plan::edit_text(edit) == record.edit; };
  const auto count = std::ranges::count_if(edits, is_it);
  if (count != 1) {
    throw input_error("sample " + record.sample, fmt::format("{} edits are named '{}'", count, record.edit),
                      "one, whose answer is the record's");
  }
  return std::ranges::find_if(edits, is_it) - edits.begin();
}

}  // namespace

RunInputs::Opened& RunInputs::opened(data::DatasetOptions options) {
  const auto found = std::ranges::find(opened_, options, [](const auto& entry) -> const auto& { return entry.first; });
  if (found != opened_.end()) return found->second;
  Opened opened{.dataset = data::open_dataset(options), .number = {}, .digests = {}};
  const std::vector<std::string>& ids = opened.dataset->ids();
  for (size_t k = 0; k < ids.size(); ++k) opened.number.emplace(ids[k], k);
  return opened_.emplace_back(std::move(options), std::move(opened)).second;
}

RunInputs::Found RunInputs::find(const RecordInputs& record, const Tensor& source) {
  data::DatasetOptions options = trials_.at(record.trial).dataset;
  // Uses the image size of the run. Samples are found by name, whatever their current position.
  options.size = {static_cast<int>(source.size(1)), static_cast<int>(source.size(2))};
  options.ids.clear();
  options.limit.reset();
  const std::string where = options.path.string();
  Opened& entry = opened(std::move(options));
  const auto number = entry.number.find(record.sample);
  if (number == entry.number.end()) {
    throw input_error(where, fmt::format("the run's sample {} is not there", record.sample), kExpectUnchangedInputs);
  }
  const auto [digest, is_new] = entry.digests.emplace(number->second, "");
  if (is_new) digest->second = plan::short_digest(*entry.dataset, number->second);
  if (digest->second != record.digest) {
    throw input_error(where,
                      fmt::format("sample {}: its image, prompt or edits are not those of the run", record.sample),
                      kExpectUnchangedInputs);
  }
  return {*entry.dataset, number->second};
}

session::EditTarget RunInputs::target(const RecordInputs& record, const Tensor& source) {
  const Found found = find(record, source);
  if (!trials_[record.trial].edits) return {.prompt = found.dataset.prompt(found.number), .pixels = {}, .mask = {}};
  const size_t edit = edit_number(found.dataset, found.number, record);
  session::EditTarget target = session::edit_target(found.dataset.edits(found.number)[edit].target_prompt,
                                                    found.dataset.read_edit(found.number, edit), source);
  target.source_prompt = found.dataset.prompt(found.number);
  return target;
}

}  // namespace roundtrip::rescore
