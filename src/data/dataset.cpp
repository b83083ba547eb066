#include "data/dataset.h"

#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/resample.h"

namespace roundtrip::data {
namespace {

void check_options(const DatasetOptions& options) {
  if (options.limit && *options.limit < 1) {
    throw Error(ErrorKind::kType, fmt::format("dataset.limit: {}; expected at least 1", *options.limit));
  }
  const auto [height, width] = options.size;
  const bool as_they_are = height == 0 && width == 0;
  if (!as_they_are && (height < 1 || width < 1)) {
    throw Error(ErrorKind::kType,
                fmt::format("dataset.size: [{}, {}]; expected a height and a width of at least 1", height, width));
  }
  resampling_named(options.resample);
}

}  // namespace

std::vector<std::string> dataset_names() { return Dataset::Plugins::names(); }

std::unique_ptr<Dataset> open_dataset(const DatasetOptions& options) {
  if (Dataset::Plugins::has(options.name)) check_options(options);
  std::unique_ptr<Dataset> dataset = Dataset::Plugins::make(options.name, options);
  options.params.check_all_read(fmt::format("dataset '{}'", options.name));
  return dataset;
}

std::vector<size_t> choose_samples(const std::vector<std::string>& all, const DatasetOptions& options) {
  std::vector<size_t> chosen;
  if (options.ids.empty()) {
    for (size_t index = 0; index < all.size(); ++index) chosen.push_back(index);
  } else {
    std::unordered_map<std::string, size_t> index_of;
    for (size_t index = 0; index < all.size(); ++index) index_of.emplace(all[index], index);
    std::unordered_set<std::string> seen;
    for (const std::string& id : options.ids) {
      const auto found = index_of.find(id);
      if (found == index_of.end()) {
        throw input_error("dataset.ids", fmt::format("no sample has the id '{}'.{}", id, did_you_mean(id, all)));
      }
      // Ids key noise and records: a repeated id would give the same record again.
      if (!seen.insert(id).second) throw input_error("dataset.ids", fmt::format("'{}' is named twice", id));
      chosen.push_back(found->second);
    }
  }
  if (options.limit && static_cast<size_t>(*options.limit) < chosen.size()) {
    chosen.resize(static_cast<size_t>(*options.limit));
  }
  return chosen;
}

}  // namespace roundtrip::data
