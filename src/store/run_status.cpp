#include "store/run_status.h"

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <sys/file.h>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "store/columns.h"
#include "store/durable.h"
#include "store/journal.h"
#include "store/json_form.h"
#include "store/record_rows.h"
#include "store/results_reader.h"
#include "store/run_paths.h"

namespace roundtrip::store {
namespace {

namespace fs = std::filesystem;

// The newest state of each record, by plan row.
class Seen {
 public:
  explicit Seen(int64_t planned) : is_there_(planned) {}

  void add(int64_t row, bool failed, auto failure) {
    if (row < 0 || row >= static_cast<int64_t>(is_there_.size())) return;
    is_there_[row] = true;
    failures_.erase(row);
    if (failed) failures_.emplace(row, failure());
  }

  void fill(RunStatus& status) {
    status.planned = static_cast<int64_t>(is_there_.size());
    status.written = std::ranges::count(is_there_, true);
    for (auto& [row, failure] : failures_) status.failures.push_back(std::move(failure));
  }

 private:
  std::vector<bool> is_there_;
  std::map<int64_t, RunStatus::Failure> failures_;
};

void add_table(const fs::path& path, Seen& seen) {
  const ResultsReader table(path);
  const std::vector<int64_t> rows = table.plan_rows();
  const std::vector<std::string> status = table.has(kStatus) ? table.texts(kStatus) : std::vector<std::string>{};
  for (size_t k = 0; k < rows.size(); ++k) {
    const auto text = [&](const TextColumn& column) {
      return table.has(column) ? table.texts(column, static_cast<int64_t>(k), 1)[0] : std::string();
    };
    seen.add(rows[k], k < status.size() && status[k] == "failed", [&] {
      return RunStatus::Failure{.plan_row = rows[k],
                                .trial = table.has(kTrial) ? table.integers(kTrial, static_cast<int64_t>(k), 1)[0] : 0,
                                .sample = text(kSample),
                                .edit = text(kEdit),
                                .error = text(kError)};
    });
  }
}

void add_journal(const JournalPaths& paths, Seen& seen) {
  JournalReader journal(paths);
  while (const std::optional<JournalEntry> entry = journal.next()) {
    const auto text = [&](const TextColumn& column) { return get(entry->record, column); };
    seen.add(entry->record.plan_row, text(kStatus) == "failed", [&] {
      return RunStatus::Failure{.plan_row = entry->record.plan_row,
                                .trial = get(entry->record, kTrial),
                                .sample = text(kSample),
                                .edit = text(kEdit),
                                .error = text(kError)};
    });
  }
}

bool is_locked(const fs::path& journal) {
  const Descriptor descriptor(::open(journal.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return descriptor.get() >= 0 && ::flock(descriptor.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

RunStatus read_unfinished(const RunPaths& paths) {
  RunStatus status;
  status.being_written = is_locked(paths.journal);
  const StoredLayout stored = decode_layout(text_of(paths.layout));
  Seen seen(stored.layout.planned_records);
  // List journals first: one that becomes a shard meanwhile is then read twice rather than not at all.
  const std::vector<int64_t> journals = numbers_in(paths.journal, ".jsonl");
  for (const int64_t shard : numbers_in(paths.shards(stored.plan), ".h5")) {
    add_table(paths.shard(stored.plan, shard), seen);
  }
  for (const int64_t number : journals) add_journal(JournalPaths(paths.journal, number), seen);
  seen.fill(status);
  status.provenance = stored.layout.provenance;
  status.progress = text_of(paths.progress);
  std::error_code ignored;
  const auto written = fs::last_write_time(paths.progress, ignored);
  if (!ignored) {
    status.progress_age = std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count();
  }
  return status;
}

RunStatus read_finished(const RunPaths& paths) {
  RunStatus status;
  status.finished = true;
  const ResultsReader results(paths.results);
  Seen seen(results.planned_records());
  add_table(paths.results, seen);
  seen.fill(status);
  status.provenance = results.provenance();
  return status;
}

}  // namespace

RunStatus read_run_status(const fs::path& directory) {
  const RunPaths paths(directory);
  // A file may disappear or change while it is read: a shard is sealed, a run finishes. Then read again.
  constexpr int kMaxReads = 5;
  for (int read = 1;; ++read) {
    try {
      if (fs::exists(paths.layout)) return read_unfinished(paths);
      if (fs::exists(paths.results)) return read_finished(paths);
      throw input_error(directory.string(), "no run", "results.h5, or the journal/ of a started run");
    } catch (const std::exception& error) {
      if (read == kMaxReads) throw input_error(directory.string(), error.what());
      if (!fs::exists(paths.layout) && !fs::exists(paths.results)) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

}  // namespace roundtrip::store
