// The paths of a run's parts in its directory (run_store.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace roundtrip::store {

struct RunPaths {
  explicit RunPaths(const std::filesystem::path& run)
      : directory(run),
        results(run / "results.h5"),
        journal(run / "journal"),
        layout(journal / "layout.json"),
        progress(journal / "progress.txt") {}

  std::filesystem::path shards(int64_t plan) const {
    return directory / (plan == 0 ? "shards" : fmt::format("shards-{}", plan));
  }
  std::filesystem::path shard(int64_t plan, int64_t number) const {
    return shards(plan) / fmt::format("{:04}.h5", number);
  }

  std::filesystem::path directory, results, journal, layout, progress;
};

// The numbers of the files `<number><extension>` in a directory, ascending. Throws the file system's errors.
inline std::vector<int64_t> numbers_in(const std::filesystem::path& directory, std::string_view extension) {
  std::vector<int64_t> numbers;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string stem = entry.path().stem().string();
    const bool digits = !stem.empty() && stem.size() < 10 && stem.find_first_not_of("0123456789") == stem.npos;
    if (digits && entry.path().extension() == extension) numbers.push_back(std::stoll(stem));
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace roundtrip::store
