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
#include "store/rewrite.h"
#include "store/run_paths.h"
#include "store/shard.h"

namespace roundtrip::store {
namespace {

namespace fs = std::filesystem;

void make_directories(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw input_error(directory.string(), "cannot create the directory: " + error.message());
}

void refuse_used(const fs::path& run, const RunPaths& paths) {
  constexpr std::string_view kExpected =
      "a new directory: go on in this one with --resume, name another (hydra.run.dir=...), or remove it";
  if (fs::exists(paths.results)) throw input_error(run.string(), "holds results.h5 already", kExpected);
  if (fs::exists(paths.journal) || fs::exists(paths.shards(0))) {
    throw input_error(run.string(), "holds an unfinished run", kExpected);
  }
}

// A lock for as long as this process writes the run; the system releases it when the process ends, however it ends.
Descriptor lock(const fs::path& run, const fs::path& journal) {
  Descriptor descriptor(::open(journal.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    throw input_error(run.string(), fmt::format("cannot open journal/: {}", std::strerror(errno)));
  }
  // A file system without locks cannot report another process.
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw input_error(run.string(), "another process is writing this run", "one that has ended");
  }
  return descriptor;
}

StoredLayout read_layout(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  try {
    return decode_layout(text);
  } catch (const nlohmann::json::exception&) {
    throw input_error(path.string(), "not the layout of a run", "the file as it was written");
  }
}

void remove_journal(const JournalPaths& paths) {
  std::error_code ignored;  // a leftover is skipped by its number, or removed with the directory
  fs::remove(paths.lines, ignored);
  fs::remove(paths.arrays, ignored);
}

// The folders of a run's shards; all but the newest plan's are leftovers of an interrupted replan.
std::vector<fs::path> shard_folders(const fs::path& run) {
  std::vector<fs::path> folders;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(run, failure)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory(failure) && (name == "shards" || name.starts_with("shards-")))
      folders.push_back(entry.path());
  }
  return folders;
}

void remove_workings(const RunPaths& paths) {
  std::error_code ignored;  // beside complete results, leftovers do no harm
  fs::remove_all(paths.journal, ignored);
  for (const fs::path& folder : shard_folders(paths.directory)) fs::remove_all(folder, ignored);
}

// Turns the table of a finished run into its first shard, as a link where possible: results.h5 is unchanged.
void make_first_shard_of_results(const RunPaths& paths) {
  const TableLayout layout = layout_of(ResultsReader(paths.results));
  std::error_code failure;
  for (const fs::path& folder : shard_folders(paths.directory)) fs::remove_all(folder, failure);
  make_directories(paths.shards(0));
  fs::create_hard_link(paths.results, paths.shard(0, 0), failure);
  if (failure) {
    failure.clear();
    fs::copy_file(paths.results, part_of(paths.shard(0, 0)), fs::copy_options::overwrite_existing, failure);
    if (failure) throw input_error(paths.shard(0, 0).string(), "cannot be written: " + failure.message());
    publish(paths.shard(0, 0));
  }
  sync_directory(paths.shards(0));
  write_durably(paths.layout, encode_layout({.layout = layout, .plan = 0}));
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
  check(layout.trial_ids.empty() || layout.trial_ids.size() == layout.trial_configs.size(),
        "each trial has an id, or none has");
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

void check_values(const std::map<std::string, Value>& values, const std::map<std::string, ColumnType>& columns) {
  auto column = columns.begin();  // both ascend by name
  for (const auto& [name, value] : values) {
    while (column != columns.end() && column->first < name) ++column;
    const bool is_known = column != columns.end() && column->first == name;
    if (!is_known) check(false, fmt::format("'{}' is a column of the layout", name));
    if (!is_of(value, column->second)) check(false, fmt::format("the value for '{}' is of the column's type", name));
  }
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
  int64_t plan = 0;    // grows with every replan
  int64_t number = 0;  // of the journal, and of the shard that it becomes
  std::optional<JournalWriter> journal;
  std::optional<JournalledRecords> journalled;  // its records, in memory
  Recovery recovery;

  State(fs::path run, StoreOptions o) : directory(std::move(run)), paths(directory), options(o) {}

  void take(StoredLayout given) {
    layout = std::move(given.layout);
    plan = given.plan;
    column_types.clear();
    for (const Column& column : layout.columns) column_types[column.name] = column.type;
    held.assign(layout.planned_records, false);
    written = 0;
  }

  void hold(int64_t plan_row) {
    if (held[plan_row]) return;
    held[plan_row] = true;
    ++written;
  }

  void start_journal() {
    journal.emplace(JournalPaths(paths.journal, number));
    journalled.emplace(layout.columns);
  }

  bool is_time_to_seal() const {
    return journalled->size() >= options.records_per_shard || journalled->bytes() >= options.shard_memory ||
           journal->array_bytes() >= options.shard_arrays;
  }

  // Turns the journal into a shard. Where that fails the journal stays in use.
  void seal() {
    if (journalled->size() == 0) return;
    journal->sync();
    const JournalPaths old(paths.journal, number);
    journalled->write(layout, old, paths.shard(plan, number));
    ++number;
    start_journal();
    remove_journal(old);
  }

  std::vector<fs::path> shards() const {
    std::vector<fs::path> all;
    for (const int64_t shard : numbers_in(paths.shards(plan), ".h5")) all.push_back(paths.shard(plan, shard));
    return all;
  }

  // Reads the records of the shards. The next journal gets a number that no shard has.
  void hold_shards() {
    for (const int64_t shard : numbers_in(paths.shards(plan), ".h5")) {
      const fs::path path = paths.shard(plan, shard);
      for (const int64_t row : ResultsReader(path).plan_rows()) {
        if (row < 0 || row >= layout.planned_records) {
          throw input_error(path.string(), fmt::format("plan row {}", row), "a row of the plan");
        }
        hold(row);
      }
      number = shard + 1;
    }
  }

  // Turns the journals of a killed process into shards, however short.
  void recover() {
    std::error_code ignored;
    for (const fs::path& folder : shard_folders(directory)) {
      if (folder != paths.shards(plan)) fs::remove_all(folder, ignored);
    }
    const auto sealed = numbers_in(paths.shards(plan), ".h5");
    for (const int64_t left : numbers_in(paths.journal, ".jsonl")) {
      const JournalPaths journal_paths(paths.journal, left);
      if (!std::ranges::binary_search(sealed, left)) {
        const Recovery found = recover_journal(journal_paths, layout, paths.shard(plan, left));
        recovery.ignored_lines += found.ignored_lines;
        recovery.ignored_bytes += found.ignored_bytes;
      }
      remove_journal(journal_paths);
    }
    hold_shards();
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
    make_directories(paths.shards(0));
    const std::string text = encode_layout({.layout = layout, .plan = 0});
    write_durably(paths.layout, text);
    state_->take(decode_layout(text));  // as recover() would read it
    state_->start_journal();
    sync_directory(state_->directory);
  } catch (const Error&) {  // a run that could not start must not leave anything that looks like one
    remove_workings(paths);
    throw;
  }
}

RunStore RunStore::recover(const fs::path& directory, StoreOptions options) {
  auto state = std::make_unique<State>(directory, options);
  const RunPaths& paths = state->paths;
  if (!fs::exists(paths.layout) && !fs::exists(paths.results)) {
    throw input_error(directory.string(), "no run to resume", "results.h5, or the journal/ of a started run");
  }
  make_directories(paths.journal);
  state->lock = lock(directory, paths.journal);
  if (!fs::exists(paths.layout)) make_first_shard_of_results(paths);
  StoredLayout stored = read_layout(paths.layout);
  make_directories(paths.shards(stored.plan));
  state->take(std::move(stored));
  state->recover();
  state->start_journal();
  return RunStore(std::move(state));
}

RunStore::~RunStore() {
  if (!state_ || !state_->journal) return;
  try {
    state_->journal->sync();
  } catch (const Error&) {  // the disk is full: records appended before are kept
  }
}

void RunStore::append(const Record& record, std::span<const ArrayView> arrays) {
  check(state_->journal.has_value(), "a finished run takes no records");
  check(record.plan_row >= 0 && record.plan_row < state_->layout.planned_records, "a record is in the plan");
  check(!state_->held[record.plan_row], fmt::format("plan row {} is appended once", record.plan_row));
  check_values(record.values, state_->column_types);
  for (const ArrayView& array : arrays) check_array(array, state_->column_types);

  state_->journalled->add(record, state_->journal->append(record, arrays));
  state_->hold(record.plan_row);
  if (state_->is_time_to_seal()) {
    state_->seal();
  } else {
    sync_if_due();
  }
}

void RunStore::sync() { state_->journal->sync(); }
void RunStore::sync_if_due() { state_->journal->sync_if_due(state_->options.sync_seconds); }

void RunStore::forget(int64_t plan_row) {
  check(holds(plan_row), "what is forgotten was there");
  state_->held[plan_row] = false;
  --state_->written;
}

void RunStore::replan(TableLayout layout, const std::function<void(Record&)>& move) {
  check_layout(layout);
  State& state = *state_;
  state.seal();
  const std::string text = encode_layout({.layout = std::move(layout), .plan = state.plan + 1});
  StoredLayout stored = decode_layout(text);
  const fs::path folder = state.paths.shards(stored.plan);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  make_directories(folder);
  int64_t number = 0;
  const auto moved = [&](Record& record) {
    move(record);
    return true;
  };
  for (const fs::path& shard : state.shards()) {
    rewrite_shard(shard, stored.layout, state.options.records_per_shard, moved,
                  [&] { return state.paths.shard(stored.plan, number++); });
  }
  sync_directory(folder);
  sync_directory(state.directory);
  write_durably(state.paths.layout, text);  // the new plan takes effect

  const fs::path old = state.paths.shards(state.plan);
  const JournalPaths empty(state.paths.journal, state.number);
  state.take(std::move(stored));
  state.number = 0;
  state.hold_shards();
  remove_journal(empty);
  state.start_journal();
  fs::remove_all(old, ignored);
}

std::vector<fs::path> RunStore::shards() const { return state_->shards(); }

fs::path RunStore::finish() {
  check(state_->journal.has_value(), "a run is finished once");
  state_->seal();
  merge_results(state_->shards(), state_->layout, state_->options.merge_memory, state_->paths.results);
  state_->journal.reset();
  remove_workings(state_->paths);
  return state_->paths.results;
}

void RunStore::set_provenance(const std::string& key, const std::string& value) {
  state_->layout.provenance[sanitise_utf8(key)] = sanitise_utf8(value);
}

void RunStore::show_progress(std::string_view text) {
  const fs::path& path = state_->paths.progress;
  std::ofstream(part_of(path), std::ios::binary) << text;
  std::error_code ignored;  // informative only: nothing depends on it
  fs::rename(part_of(path), path, ignored);
}

const fs::path& RunStore::directory() const { return state_->directory; }
const TableLayout& RunStore::layout() const { return state_->layout; }
int64_t RunStore::written() const { return state_->written; }
const Recovery& RunStore::recovery() const { return state_->recovery; }

bool RunStore::holds(int64_t plan_row) const {
  return plan_row >= 0 && plan_row < state_->layout.planned_records && state_->held[plan_row];
}

}  // namespace roundtrip::store
