#include "store/results_reader.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "store/hdf5.h"
#include "store/results_writer.h"

namespace roundtrip::store {
namespace {

using hdf5::Element;

constexpr std::string_view kNoTable = "no results file: it has no record table";

ColumnType type_of(const hdf5::Dataset& dataset) {
  switch (dataset.element()) {
    case Element::kFloat64:
      return ColumnType::kFloat64;
    case Element::kInt64:
      return ColumnType::kInt64;
    case Element::kText:
      return ColumnType::kString;
    default:
      throw input_error(dataset.where(), "a column of another type", "float64, int64 or text");
  }
}

std::string_view name_of(ColumnType type) {
  return type == ColumnType::kFloat64 ? "float64" : type == ColumnType::kInt64 ? "int64" : "text";
}

// The length of a one-dimensional dataset.
int64_t length_of(const hdf5::Dataset& dataset) {
  const std::vector<int64_t> shape = dataset.shape();
  if (shape.size() != 1) throw input_error(dataset.where(), "shape " + shape_text(shape), "one dimension");
  return shape[0];
}

// The number of rows of [first, first + count) that exist; count -1 goes to the end.
int64_t stretch(const hdf5::Dataset& dataset, int64_t first, int64_t count) {
  const int64_t length = length_of(dataset);
  if (count == -1) count = length - first;
  if (first < 0 || count < 0 || first > length - count) {
    throw input_error(dataset.where(), fmt::format("{} rows", length),
                      fmt::format("rows {} to {}", first, first + count));
  }
  return count;
}

std::string text_or_nothing(const hdf5::Object& object, const std::string& name) {
  return object.has_attribute(name) ? object.text_attribute(name) : "";
}

int integer_or(const hdf5::Object& object, const std::string& name, int otherwise) {
  return object.has_attribute(name) ? static_cast<int>(object.integer_attribute(name)) : otherwise;
}

std::vector<std::string> strings_of(const Texts& texts) {
  std::vector<std::string> strings;
  strings.reserve(texts.size());
  for (size_t k = 0; k < texts.size(); ++k) strings.emplace_back(texts[k]);
  return strings;
}

void refuse_newer_schema(const hdf5::File& file, const std::string& path) {
  if (!file.has_attribute("schema_version")) throw input_error(path, kNoTable, "the attribute schema_version");
  const int64_t version = file.integer_attribute("schema_version");
  if (version > kSchemaVersion) {
    throw input_error(path, fmt::format("results of schema version {}", version),
                      fmt::format("{} or older: read it with a newer roundtrip", kSchemaVersion));
  }
  if (version < 1) throw input_error(path, fmt::format("results of schema version {}", version), "1");
}

}  // namespace

struct ResultsReader::State {
  std::filesystem::path path;
  hdf5::File file;
  std::vector<Column> columns;
  std::vector<std::string> names;
  int64_t records = 0;
  std::optional<hdf5::Group> texts;  // of a shard: the texts that its columns index

  State(const std::filesystem::path& p, size_t cache_bytes) : path(p), file(hdf5::File::open(p, cache_bytes)) {
    refuse_newer_schema(file, path.string());
    if (!file.has("record")) throw input_error(path.string(), kNoTable, "the dataset /record");
    records = length_of(file.open_dataset("record"));
    const std::string texts_group(kTextsGroup);
    if (file.has(texts_group) && file.is_group(texts_group)) texts = file.open_group(texts_group);
    for (const std::string& name : file.names()) {
      if (name == "record" || name == "plan_row" || file.is_group(name)) continue;
      const hdf5::Dataset dataset = file.open_dataset(name);
      if (const int64_t length = length_of(dataset); length != records) {
        throw input_error(dataset.where(), fmt::format("{} rows", length), fmt::format("{} as in record", records));
      }
      columns.push_back({.name = name,
                         .type = is_coded(name) ? ColumnType::kString : type_of(dataset),
                         .long_name = text_or_nothing(dataset, "long_name"),
                         .units = text_or_nothing(dataset, "units"),
                         .direction = text_or_nothing(dataset, "direction"),
                         .version = text_or_nothing(dataset, "metric_version"),
                         .label = text_or_nothing(dataset, "label"),
                         .digits = integer_or(dataset, "digits", -1),
                         .log_axis = integer_or(dataset, "log_axis", 0) != 0,
                         .perceptual = integer_or(dataset, "perceptual", 0) != 0,
                         .order = integer_or(dataset, "order", kLastOrder),
                         .metric = text_or_nothing(dataset, "metric"),
                         .compares = text_or_nothing(dataset, "compares"),
                         .view = text_or_nothing(dataset, "view")});
      names.push_back(name);
    }
  }

  bool is_coded(const std::string& name) const { return texts && texts->has(name); }

  const Column& column(const std::string& name) const {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: no column '{}'.{}", path.string(), name, did_you_mean(name, names)));
    }
    return columns[found - names.begin()];
  }

  hdf5::Dataset dataset(const std::string& name, ColumnType wanted) const {
    const ColumnType found = column(name).type;
    hdf5::Dataset dataset = file.open_dataset(name);
    if (found != wanted) {
      throw input_error(dataset.where(), fmt::format("a column of {}", name_of(found)), name_of(wanted));
    }
    return dataset;
  }

  // The texts that a shard's column indexes.
  Texts decoded(const hdf5::Dataset& column, const std::string& name, std::vector<int64_t> codes) const {
    if (codes.empty()) return Texts(0);
    const hdf5::Dataset all = texts->open_dataset(name);
    const auto [first, last] = std::ranges::minmax(codes);
    if (first < 0 || last >= length_of(all)) throw input_error(column.where(), "text code out of range");
    Texts known = all.read_texts(first, last + 1 - first);
    for (int64_t& code : codes) code -= first;
    return std::move(known).chosen(codes);
  }
};

ResultsReader::ResultsReader(const std::filesystem::path& path) : ResultsReader(path, hdf5::kCacheBytes) {}
ResultsReader::ResultsReader(const std::filesystem::path& path, size_t cache_bytes)
    : state_(std::make_unique<State>(path, cache_bytes)) {}
ResultsReader::ResultsReader(ResultsReader&&) noexcept = default;
ResultsReader& ResultsReader::operator=(ResultsReader&&) noexcept = default;
ResultsReader::~ResultsReader() = default;

const std::filesystem::path& ResultsReader::path() const { return state_->path; }
int64_t ResultsReader::records() const { return state_->records; }
int64_t ResultsReader::planned_records() const { return state_->file.integer_attribute("records_planned"); }
bool ResultsReader::complete() const { return state_->file.integer_attribute("complete") != 0; }
const std::vector<Column>& ResultsReader::columns() const { return state_->columns; }

bool ResultsReader::has(const std::string& column) const {
  return std::ranges::find(state_->names, column) != state_->names.end();
}

std::vector<double> ResultsReader::numbers(const std::string& column, int64_t first, int64_t count) const {
  const ColumnType type = state_->column(column).type;
  const hdf5::Dataset dataset = state_->file.open_dataset(column);
  if (type == ColumnType::kString) throw input_error(dataset.where(), "a column of text", "numbers");
  std::vector<double> values = dataset.read_numbers(first, stretch(dataset, first, count));
  if (type == ColumnType::kInt64) {
    std::ranges::replace(values, -1.0, std::numeric_limits<double>::quiet_NaN());
  }
  return values;
}

std::vector<int64_t> ResultsReader::integers(const std::string& column, int64_t first, int64_t count) const {
  const hdf5::Dataset dataset = state_->dataset(column, ColumnType::kInt64);
  return dataset.read_integers(first, stretch(dataset, first, count));
}

Texts ResultsReader::text_views(const std::string& column, int64_t first, int64_t count) const {
  const hdf5::Dataset dataset = state_->dataset(column, ColumnType::kString);
  count = stretch(dataset, first, count);
  if (!state_->is_coded(column)) return dataset.read_texts(first, count);
  return state_->decoded(dataset, column, dataset.read_integers(first, count));
}

std::vector<std::string> ResultsReader::texts(const std::string& column, int64_t first, int64_t count) const {
  return strings_of(text_views(column, first, count));
}

std::vector<std::string> ResultsReader::texts_at(const std::string& column, std::span<const int64_t> rows) const {
  const hdf5::Dataset dataset = state_->dataset(column, ColumnType::kString);
  if (!state_->is_coded(column)) return strings_of(dataset.read_texts_at(rows));
  const auto is_there = [&](int64_t row) { return 0 <= row && row < state_->records; };
  if (!std::ranges::all_of(rows, is_there)) throw input_error(dataset.where(), "a row out of range");
  return strings_of(text_views(column).chosen(rows));
}

std::vector<int64_t> ResultsReader::plan_rows(int64_t first, int64_t count) const {
  const hdf5::Dataset dataset = state_->file.open_dataset("plan_row");
  return dataset.read_integers(first, stretch(dataset, first, count));
}

int64_t ResultsReader::step_rows() const {
  return length_of(state_->file.open_group("per_step").open_dataset("step_row"));
}

std::vector<int64_t> ResultsReader::step_records(int64_t first, int64_t count) const {
  const hdf5::Dataset dataset = state_->file.open_group("per_step").open_dataset("record");
  return dataset.read_integers(first, stretch(dataset, first, count));
}

StepTable ResultsReader::steps(int64_t first, int64_t count) const {
  const hdf5::Group group = state_->file.open_group("per_step");
  const auto integers = [&](const char* name) {
    const hdf5::Dataset dataset = group.open_dataset(name);
    return dataset.read_integers(first, stretch(dataset, first, count));
  };
  const auto numbers = [&](const char* name) {
    const hdf5::Dataset dataset = group.open_dataset(name);
    return dataset.read_numbers(first, stretch(dataset, first, count));
  };
  return {.record = integers("record"),
          .i = integers("i"),
          .t = numbers("t"),
          .pivot_distance = numbers("pivot_distance"),
          .loss = numbers("loss"),
          .inner_steps = integers("inner_steps")};
}

std::map<std::string, std::string> ResultsReader::attributes() const {
  auto attributes = state_->file.text_attributes();
  attributes.erase("Conventions");
  return attributes;
}

std::map<std::string, std::string> ResultsReader::provenance() const {
  return state_->file.open_group("provenance").text_attributes();
}

std::vector<std::string> ResultsReader::trial_configs() const {
  const hdf5::Dataset dataset = state_->file.open_group("trials").open_dataset("config_yaml");
  return strings_of(dataset.read_texts(0, length_of(dataset)));
}

std::vector<std::string> ResultsReader::trial_ids() const {
  const hdf5::Group trials = state_->file.open_group("trials");
  if (!trials.has("id")) return {};
  const hdf5::Dataset dataset = trials.open_dataset("id");
  return strings_of(dataset.read_texts(0, length_of(dataset)));
}

std::vector<std::string> ResultsReader::array_paths(int64_t row) const {
  const std::string row_name = std::to_string(row);
  std::vector<std::string> paths;
  for (const std::string& name : array_groups(state_->file)) {
    const hdf5::Group group = state_->file.open_group(name);
    if (!group.has(row_name)) continue;
    const std::string path = name + "/" + row_name;
    if (!group.is_group(row_name)) {
      paths.push_back(path);
      continue;
    }
    for (const std::string& leaf : group.open_group(row_name).names()) paths.push_back(path + "/" + leaf);
  }
  return paths;
}

bool ResultsReader::has_array(const std::string& path) const {
  // HDF5 requires a check of every part of a path.
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    if (!state_->file.has(path.substr(0, end))) return false;
  }
  return state_->file.has(path);
}

Array ResultsReader::array(const std::string& path) const {
  const hdf5::Dataset dataset = state_->file.open_dataset(path);
  Array array{.type = ArrayType::kFloat32, .shape = dataset.shape(), .bytes = dataset.read_bytes()};
  if (dataset.element() == Element::kUint8) array.type = ArrayType::kUint8;
  return array;
}

}  // namespace roundtrip::store
