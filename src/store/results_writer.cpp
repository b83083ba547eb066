#include "store/results_writer.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "store/durable.h"

namespace roundtrip::store {
namespace {

using hdf5::Element;

constexpr std::array<std::string_view, 4> kOwnGroups = {"per_step", "trials", "provenance", kTextsGroup};

// Writes a column's labels as attributes, without empty ones.
void label(hdf5::Dataset& dataset, const Column& column) {
  const auto set = [&](const char* name, const std::string& text) {
    if (!text.empty()) dataset.set_attribute(name, text);
  };
  set("long_name", column.long_name);
  set("units", column.units);
  set("direction", column.direction);
  set("metric_version", column.version);
  set("label", column.label);
  set("metric", column.metric);
  set("compares", column.compares);
  set("view", column.view);
  if (column.digits >= 0) dataset.set_attribute("digits", int64_t{column.digits});
  if (column.log_axis) dataset.set_attribute("log_axis", int64_t{1});
  if (column.perceptual) dataset.set_attribute("perceptual", int64_t{1});
  if (column.order != kLastOrder) dataset.set_attribute("order", int64_t{column.order});
}

Element element_of(ColumnType type) {
  switch (type) {
    case ColumnType::kFloat64:
      return Element::kFloat64;
    case ColumnType::kInt64:
      return Element::kInt64;
    case ColumnType::kString:
      return Element::kText;
  }
  throw Error(ErrorKind::kInternal, "a column of unknown type");
}

// The coordinate 0 .. size-1 that labels the rows of a group's columns.
hdf5::Dataset create_scale(hdf5::Group& group, const std::string& name, int64_t size, const std::string& long_name) {
  hdf5::Dataset scale = group.create_dataset(name, Element::kInt64, std::array{size});
  scale.make_scale(name);
  scale.set_attribute("long_name", long_name);
  constexpr int64_t kStretch = 8192;
  std::vector<int64_t> values;
  for (int64_t first = 0; first < size; first += kStretch) {
    values.clear();
    for (int64_t row = first; row < std::min(first + kStretch, size); ++row) values.push_back(row);
    scale.write(first, values);
  }
  return scale;
}

hdf5::Dataset create_column(hdf5::Group& group, const hdf5::Dataset& scale, const Column& column,
                            FileKind kind = FileKind::kResults) {
  const bool coded = kind == FileKind::kShard && column.type == ColumnType::kString;
  const Element element = coded ? Element::kInt64 : element_of(column.type);
  hdf5::Dataset dataset = group.create_dataset(column.name, element, scale.shape());
  dataset.attach_scale(scale);
  label(dataset, column);
  return dataset;
}

void write_trials(hdf5::Group trials, const TableLayout& layout) {
  const hdf5::Dataset scale =
      create_scale(trials, "trial", static_cast<int64_t>(layout.trial_configs.size()), "index of the setting");
  create_column(trials, scale,
                {"config_yaml", ColumnType::kString, "the resolved config of the trial, YAML", "", "", ""})
      .write(0, layout.trial_configs);
  if (layout.trial_ids.empty()) return;
  create_column(
      trials, scale,
      {"id", ColumnType::kString, "digest of what decides the trial's numbers: config and weights", "", "", ""})
      .write(0, layout.trial_ids);
}

// Attributes that make viewers show a dataset [H, W, 3] of bytes as an image (HDF5 Image and Palette
// Specification 1.2).
void mark_as_image(hdf5::Dataset& dataset) {
  dataset.set_fixed_attribute("CLASS", "IMAGE");
  dataset.set_fixed_attribute("IMAGE_VERSION", "1.2");
  dataset.set_fixed_attribute("IMAGE_SUBCLASS", "IMAGE_TRUECOLOR");
  dataset.set_fixed_attribute("INTERLACE_MODE", "INTERLACE_PIXEL");
}

}  // namespace

std::vector<std::string> array_groups(const hdf5::Group& root) {
  std::vector<std::string> groups = root.names();
  std::erase_if(groups, [&](const std::string& name) {
    return std::ranges::find(kOwnGroups, name) != kOwnGroups.end() || !root.is_group(name);
  });
  return groups;
}

ResultsWriter::ResultsWriter(std::filesystem::path path, const TableLayout& layout, int64_t records, int64_t step_rows,
                             FileKind kind)
    : path_(std::move(path)), file_(hdf5::File::create(part_of(path_))), records_(records), step_rows_(step_rows) {
  file_.set_attribute("Conventions", "roundtrip-1");
  file_.set_attribute("schema_version", kSchemaVersion);
  for (const auto& [name, text] : layout.attributes) file_.set_attribute(name, text);
  file_.set_attribute("records_planned", layout.planned_records);
  file_.set_attribute("records_written", records);
  file_.set_attribute("complete", static_cast<int64_t>(records == layout.planned_records));

  const hdf5::Dataset scale = create_scale(file_, "record", records, "row");
  plan_rows_.emplace(create_column(
      file_, scale, {"plan_row", ColumnType::kInt64, "place in the plan; differs where rows are missing", "", "", ""}));
  for (const Column& column : layout.columns) {
    columns_.push_back(create_column(file_, scale, column, kind));
    column_names_.push_back(column.name);
  }
  if (kind == FileKind::kShard) texts_.emplace(file_.create_group(std::string(kTextsGroup)));

  hdf5::Group per_step = file_.create_group("per_step");
  const hdf5::Dataset step_scale = create_scale(per_step, "step_row", step_rows, "row");
  const Column step_columns[] = {
      {"record", ColumnType::kInt64, "row of the record table", "", "", ""},
      {"i", ColumnType::kInt64, "grid index", "", "", ""},
      {"t", ColumnType::kFloat64, "time that the network is given", "", "", ""},
      {"pivot_distance", ColumnType::kFloat64, "root mean square distance of the sampled latent from the pivot", "",
       "lower", ""},
      {"loss", ColumnType::kFloat64, "last loss of the fit", "", "lower", ""},
      {"inner_steps", ColumnType::kInt64, "updates of the fit", "", "lower", ""},
  };
  for (const Column& column : step_columns) steps_.push_back(create_column(per_step, step_scale, column));

  write_trials(file_.create_group("trials"), layout);
  hdf5::Group provenance = file_.create_group("provenance");
  for (const auto& [name, text] : layout.provenance) provenance.set_attribute(name, text);
}

ResultsWriter::~ResultsWriter() {
  std::error_code ignored;
  std::filesystem::remove(part_of(path_), ignored);  // absent once finished
}

void ResultsWriter::write(const TableBlock& block) {
  write_plan_rows(block.plan_rows);
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (const auto* texts = std::get_if<std::vector<std::string>>(&block.columns[c]); texts && texts_) {
      write_codes(c, *texts);
    } else {
      std::visit([&](const auto& values) { write_column(c, std::span(values)); }, block.columns[c]);
    }
  }
  write_steps(block.steps);
  advance(block.plan_rows.size(), block.steps.size());
}

void ResultsWriter::write_codes(size_t column, std::span<const std::string> texts) {
  std::unordered_map<std::string_view, int64_t> code_of;
  std::vector<int64_t> codes;
  std::vector<std::string> different;
  for (const std::string& text : texts) {
    const auto [entry, is_new] = code_of.emplace(text, static_cast<int64_t>(different.size()));
    if (is_new) different.push_back(text);
    codes.push_back(entry->second);
  }
  write_column(column, std::span<const int64_t>(codes));
  texts_->create_dataset(column_names_[column], Element::kText, std::array{static_cast<int64_t>(different.size())})
      .write(0, different);
}

void ResultsWriter::write_steps(const StepTable& steps) {
  std::vector<int64_t> record = steps.record;
  for (int64_t& row : record) row += row_;
  steps_[0].write(step_row_, record);
  steps_[1].write(step_row_, steps.i);
  steps_[2].write(step_row_, steps.t);
  steps_[3].write(step_row_, steps.pivot_distance);
  steps_[4].write(step_row_, steps.loss);
  steps_[5].write(step_row_, steps.inner_steps);
}

void ResultsWriter::advance(size_t rows, size_t step_rows) {
  row_ += static_cast<int64_t>(rows);
  step_row_ += static_cast<int64_t>(step_rows);
}

void ResultsWriter::write_array(int64_t row, const ArrayView& array) {
  const std::vector<std::string> parts = split(array.path, '/');  // group, {row}[, name]
  hdf5::Group group = file_.ensure_group(parts[0]);
  const auto create = [&](hdf5::Group& in, const std::string& name) {
    const Element element = array.type == ArrayType::kFloat32 ? Element::kFloat32 : Element::kUint8;
    hdf5::Dataset dataset = in.create_dataset(name, element, array.shape);
    if (array.type == ArrayType::kUint8 && array.shape.size() == 3 && array.shape[2] == 3) mark_as_image(dataset);
    dataset.write_bytes(array.bytes);
  };
  if (parts.size() == 2) {
    create(group, std::to_string(row));
  } else {
    hdf5::Group of_row = group.ensure_group(std::to_string(row));
    create(of_row, parts[2]);
  }
}

void ResultsWriter::copy_arrays(const hdf5::Group& from, const std::string& group, int64_t from_row, int64_t row) {
  const std::string name = std::to_string(from_row);
  if (from.has(name)) file_.ensure_group(group).copy_from(from, name, std::to_string(row));
}

void ResultsWriter::finish() {
  check(row_ == records_ && step_row_ == step_rows_, "a results file has the rows that it was made for");
  columns_.clear();
  steps_.clear();
  plan_rows_.reset();
  texts_.reset();
  file_.close();
  publish(path_);
}

}  // namespace roundtrip::store
