// Reconstructions as PNG files: all of them, or the eight with the lowest PSNR.
//
// Which are the worst is known only at the end, so the results file also holds those that were among the worst eight
// when they were recorded; the folder holds the eight alone. A file is named by its record's row in the plan.
#pragma once

#include <filesystem>
#include <set>

#include "run/record_maker.h"

namespace roundtrip::run {

class ImageKeeper {
 public:
  explicit ImageKeeper(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Takes up a picture that an earlier process kept, of a record with this PSNR (NaN: none).
  void restore(int64_t row, double psnr);

  bool wants(const FinishedRecord& finished) const;
  void keep(const FinishedRecord& finished);

 private:
  static constexpr size_t kWorst = 8;
  std::filesystem::path path_of(int64_t row) const;

  std::filesystem::path folder_;
  std::set<std::pair<double, int64_t>> worst_;  // PSNR, row
};

}  // namespace roundtrip::run
