#include "store/run_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <set>
#include <sys/file.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "store/durable.h"
#include "store/journal.h"
#include "store/json_form.h"
#include "store/merge.h"
#include "store/results_reader.h"
#include "store/shard.h"

namespace roundtrip::store {
namespace {

namespace fs = std::filesystem;

struct RunPaths {
  explicit RunPaths(const fs::path& run)
      : results(run / "results.h5"),
        journal(run / "journal"),
        shards(run / "shards"),
        layout(journal / "layout.json") {}

  fs::path shard(int64_t number) const { return shards / fmt::format("{:04}.h5", number); }

  fs::path results, journal, shards, layout;
};

void make_directories(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw input_error(directory.string(), "cannot create the directory: " + error.message());
}

void refuse_used(const fs::path& run, const RunPaths& paths) {
  constexpr std::string_view kExpected = "a new directory: name another (hydra.run.dir=...), or remove this one";
  if (fs::exists(paths.results)) throw input_error(run.string(), "holds results.h5 already", kExpected);
  if (fs::exists(paths.journal) || fs::exists(paths.shards)) {
    throw input_error(run.string(), "holds an unfinished run", kExpected);
  }
}

// Held for as long as this process writes the run; the system frees it when the process dies, however it
// does.
Descriptor lock(const fs::path& run, const fs::path& journal) {
  Descriptor descriptor(::open(journal.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    throw input_error(run.string(), fmt::format("cannot open journal/: {}", std::strerror(errno)));
  }
  // Where the file system has no locks, there is none to find.
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw input_error(run.string(), "another process is writing this run", "one that has ended");
  }
  return descriptor;
}

TableLayout read_layout(const fs::path& run, const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw input_error(run.string(), "no run to take up", "journal/layout.json, which a started run leaves");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  try {
    return decode_layout(text);
  } catch (const nlohmann::json::exception&) {
    throw input_error(path.string(), "not the layout of a run", "the file as it was written");
  }
}

// The numbers of the files `<number><extension>` in a directory, ascending.
std::vector<int64_t> numbers_in(const fs::path& directory, std::string_view extension) {
  std::vector<int64_t> numbers;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string stem = entry.path().stem().string();
    const bool digits = !stem.empty() && stem.size() < 10 && stem.find_first_not_of("0123456789") == stem.npos;
    if (digits && entry.path().extension() == extension) numbers.push_back(std::stoll(stem));
  }
  std::ranges::sort(numbers);
  return numbers;
}

void remove_journal(const JournalPaths& paths) {
  std::error_code ignored;  // what stays is passed over by its number, or goes with the directory
  fs::remove(paths.lines, ignored);
  fs::remove(paths.arrays, ignored);
}

void remove_workings(const RunPaths& paths) {
  std::error_code ignored;  // beside whole results, what cannot be removed does no harm
  fs::remove_all(paths.shards, ignored);
  fs::remove_all(paths.journal, ignored);
}

void check_layout(const TableLayout& layout) {
  std::set<std::string> names = {"record", "plan_row", "per_step", "trials", "provenance"};
  for (const Column& column : layout.columns) {
    check(!column.name.empty() && column.name.find('/') == std::string::npos && column.name != ".",
          fmt::format("'{}' can name a column", column.name));
    check(names.insert(column.name).second, fmt::format("the column '{}' has a name of its own", column.name));
  }
  for (const char* name : {"Conventions", "schema_version", "records_planned", "records_written", "complete"}) {
    check(!layout.attributes.contains(name), fmt::format("the attribute '{}' is the store's own", name));
  }
  check(layout.planned_records >= 0, "a plan has no less than no records");
}

bool is_of(const Value& value, ColumnType type) {
  if (std::holds_alternative<std::monostate>(value)) return true;
  switch (type) {
    case ColumnType::kFloat64:
      return !std::holds_alternative<std::string>(value);
    case ColumnType::kInt64:
      return std::holds_alternative<int64_t>(value);
    case ColumnType::kString:
      return std::holds_alternative<std::string>(value);
  }
  return false;
}

void check_array(const ArrayView& array, const std::map<std::string, ColumnType>& columns) {
  const std::vector<std::string> parts = split(array.path, '/');
  const bool shaped = (parts.size() == 2 || (parts.size() == 3 && !parts[2].empty())) && !parts[0].empty() &&
                      parts[1] == "{row}" && !columns.contains(parts[0]);
  check(shaped, fmt::format("'{}' is <group>/{{row}} or <group>/{{row}}/<name>", array.path));
  int64_t size = array.type == ArrayType::kFloat32 ? 4 : 1;
  for (const int64_t extent : array.shape) size *= extent;
  check(size == static_cast<int64_t>(array.bytes.size()),
        fmt::format("the array '{}' has as many bytes as its shape says", array.path));
}

}  // namespace

struct RunStore::State {
  fs::path directory;
  RunPaths paths;
  StoreOptions options;
  TableLayout layout;
  std::map<std::string, ColumnType> column_types;
  std::vector<bool> held;  // by plan row
  int64_t written = 0;
  Descriptor lock;
  int64_t number = 0;  // of the journal, and of the shard that it becomes
  std::optional<JournalWriter> journal;
  Recovery recovery;

  State(fs::path run, StoreOptions o) : directory(std::move(run)), paths(directory), options(o) {}

  void take(TableLayout given) {
    layout = std::move(given);
    for (const Column& column : layout.columns) column_types[column.name] = column.type;
    held.assign(layout.planned_records, false);
  }

  void hold(int64_t plan_row) {
    held[plan_row] = true;
    ++written;
  }

  void start_journal() { journal.emplace(JournalPaths(paths.journal, number)); }

  // The journal becomes a shard. Where that fails the journal stays in use.
  void seal() {
    journal->sync();
    const JournalPaths old(paths.journal, number);
    write_shard(old, layout, paths.shard(number));
    ++number;
    start_journal();
    remove_journal(old);
  }

  void hold_shard(const fs::path& path) {
    const ResultsReader shard(path);
    for (const int64_t row : shard.plan_rows()) {
      if (row < 0 || row >= layout.planned_records || held[row]) {
        throw input_error(path.string(), fmt::format("plan row {}", row), "each row of the plan once");
      }
      hold(row);
    }
  }

  // Journals that a killed process left become shards, however short.
  void recover() {
    const auto sealed = numbers_in(paths.shards, ".h5");
    for (const int64_t left : numbers_in(paths.journal, ".jsonl")) {
      const JournalPaths journal_paths(paths.journal, left);
      if (!std::ranges::binary_search(sealed, left)) {
        const Recovery found = write_shard(journal_paths, layout, paths.shard(left));
        recovery.ignored_lines += found.ignored_lines;
        recovery.ignored_bytes += found.ignored_bytes;
      }
      remove_journal(journal_paths);
    }
    for (const int64_t shard : numbers_in(paths.shards, ".h5")) {
      hold_shard(paths.shard(shard));
      number = shard + 1;
    }
    recovery.records = written;
  }
};

RunStore::RunStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;

RunStore::RunStore(fs::path directory, TableLayout layout, StoreOptions options)
    : state_(std::make_unique<State>(std::move(directory), options)) {
  check_layout(layout);
  const RunPaths& paths = state_->paths;
  refuse_used(state_->directory, paths);
  make_directories(state_->directory);
  make_directories(paths.journal);
  state_->lock = lock(state_->directory, paths.journal);
  try {
    make_directories(paths.shards);
    const std::string text = encode_layout(layout);
    write_durably(paths.layout, text);
    state_->take(decode_layout(text));  // mended, and just what recover() would find
    state_->start_journal();
    sync_directory(state_->directory);
  } catch (const Error&) {  // a run that could not start leaves nothing that looks like one
    remove_workings(paths);
    throw;
  }
}

RunStore RunStore::recover(const fs::path& directory, StoreOptions options) {
  auto state = std::make_unique<State>(directory, options);
  if (fs::exists(state->paths.results)) {
    throw input_error(directory.string(), "is finished: results.h5 is whole", "a run that ended before that");
  }
  TableLayout layout = read_layout(directory, state->paths.layout);
  state->lock = lock(directory, state->paths.journal);
  make_directories(state->paths.shards);
  state->take(std::move(layout));
  state->recover();
  state->start_journal();
  return RunStore(std::move(state));
}

RunStore::~RunStore() {
  if (!state_ || !state_->journal) return;
  try {
    state_->journal->sync();
  } catch (const Error&) {  // the disk is full: what it held before stays
  }
}

void RunStore::append(const Record& record, std::span<const ArrayView> arrays) {
  check(state_->journal.has_value(), "a finished run takes no records");
  check(record.plan_row >= 0 && record.plan_row < state_->layout.planned_records, "a record is in the plan");
  check(!state_->held[record.plan_row], fmt::format("plan row {} is appended once", record.plan_row));
  for (const auto& [name, value] : record.values) {
    const auto column = state_->column_types.find(name);
    check(column != state_->column_types.end(), fmt::format("'{}' is a column of the layout", name));
    check(is_of(value, column->second), fmt::format("the value for '{}' is of the column's type", name));
  }
  for (const ArrayView& array : arrays) check_array(array, state_->column_types);

  state_->journal->append(record, arrays);
  state_->hold(record.plan_row);
  if (state_->journal->records() >= state_->options.records_per_shard) {
    state_->seal();
  } else {
    sync_if_due();
  }
}

void RunStore::sync() { state_->journal->sync(); }
void RunStore::sync_if_due() { state_->journal->sync_if_due(state_->options.sync_seconds); }

fs::path RunStore::finish() {
  check(state_->journal.has_value(), "a run is finished once");
  if (state_->journal->records() > 0) state_->seal();
  std::vector<fs::path> shards;
  for (const int64_t number : numbers_in(state_->paths.shards, ".h5")) shards.push_back(state_->paths.shard(number));
  merge_results(shards, state_->layout, state_->options.merge_memory, state_->paths.results);
  state_->journal.reset();
  remove_workings(state_->paths);
  return state_->paths.results;
}

void RunStore::set_provenance(const std::string& key, const std::string& value) {
  state_->layout.provenance[mended(key)] = mended(value);
}

const fs::path& RunStore::directory() const { return state_->directory; }
const TableLayout& RunStore::layout() const { return state_->layout; }
int64_t RunStore::written() const { return state_->written; }
const Recovery& RunStore::recovery() const { return state_->recovery; }

bool RunStore::holds(int64_t plan_row) const {
  return plan_row >= 0 && plan_row < state_->layout.planned_records && state_->held[plan_row];
}

}  // namespace roundtrip::store
