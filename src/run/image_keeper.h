// Saves reconstructions as PNG files: all of them, or the worst eight by the first picture metric in display order
// (PSNR if measured).
//
// The worst eight are known only at the end. The results file therefore also has pictures that were among the worst
// eight when they were recorded; the folder has only the eight. A file is named by its record's row in the plan.
#pragma once

#include <filesystem>
#include <set>

#include "run/record_maker.h"

namespace roundtrip::run {

class ImageKeeper {
 public:
  ImageKeeper(std::filesystem::path folder, const std::vector<plan::Trial>& trials);

  // Metric that ranks the pictures; empty if the trials have none.
  const std::string& metric() const { return metric_; }

  // Adds a picture that an earlier process saved, of a record with this score (NaN: none).
  void restore(int64_t row, double score);

  bool wants(const FinishedRecord& finished) const;
  void keep(const FinishedRecord& finished);

 private:
  static constexpr size_t kWorst = 8;
  std::filesystem::path path_of(int64_t row) const;
  double rank(const FinishedRecord& finished) const;  // lower is worse

  std::filesystem::path folder_;
  std::string metric_;
  metrics::Direction direction_ = metrics::Direction::kHigherIsBetter;
  std::set<std::pair<double, int64_t>> worst_;  // rank, row
};

}  // namespace roundtrip::run
