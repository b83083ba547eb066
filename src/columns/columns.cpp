#include "columns/columns.h"

#include <algorithm>

namespace roundtrip::columns {
namespace {

constexpr std::string_view kParameter = "p.";
constexpr std::string_view kMethodParameter = "p.method.";

}  // namespace

const std::vector<Axis>& axes() {
  static const std::vector<Axis> kAxes = [] {
    std::vector<Axis> all = {
        {kTask.column(), "task", {"task"}},
        {kMethod.column(), "method", {"method", "method.name"}},
        {kEditor.column(), "editor", {"editor", "editor.name"}, "none"},
        {kSteps.column(), "steps", {"steps"}},
        {kInvertGuidanceScale.column(), "invert w", {"invert_guidance_scale"}},
        {kEpsAt.column(), "eps_at", {"eps_at"}},
        {kSeed.column(), "seed", {"seed"}},
        {kModel.column(), "model", {}},  // a folder's name alone: the key has a column of its own
        {kDataset.column(), "dataset", {}},
        {kDtype.column(), "dtype", {"model.dtype"}},
    };
    // The guidance scale comes before its inverse, the other numbers before the seed.
    for (const NumberSetting& setting : kNumberSettings) {
      const std::string before = setting.column.name == kGuidanceScale.name ? kInvertGuidanceScale.name : kSeed.name;
      const auto at = std::ranges::find(all, before, [](const Axis& axis) { return axis.column.name; });
      all.insert(at, {setting.column.column(), setting.label, {setting.column.name}});
    }
    return all;
  }();
  return kAxes;
}

bool is_axis(std::string_view column) {
  return is_parameter(column) ||
         std::ranges::any_of(axes(), [&](const Axis& axis) { return axis.column.name == column; });
}

std::string axis_label(std::string_view column) {
  for (const Axis& axis : axes()) {
    if (axis.column.name == column) return axis.label;
  }
  for (const std::string_view prefix : {kMethodParameter, kParameter}) {
    if (column.starts_with(prefix)) return std::string(column.substr(prefix.size()));
  }
  return std::string(column);
}

std::string parameter_column(std::string key) {
  std::ranges::replace(key, '/', '.');
  return std::string(kParameter) + key;
}

bool is_parameter(std::string_view column) { return column.starts_with(kParameter); }

const std::vector<std::string>& nfe_columns() {
  static const std::vector<std::string> kColumns = {kInvertNfe, kFitNfe, kSampleNfe};
  return kColumns;
}

const std::vector<std::string>& seconds_columns() {
  static const std::vector<std::string> kColumns = {kInvertSeconds, kFitSeconds, kSampleSeconds};
  return kColumns;
}

std::vector<store::Column> cost_columns() {
  return {kInvertNfe.column(),  kFitNfe.column(),         kSampleNfe.column(),     kReleasedNfe.column(),
          kGradNfe.column(),    kStateBytes.column(),     kEncodeSeconds.column(), kInvertSeconds.column(),
          kFitSeconds.column(), kSampleSeconds.column(),  kDecodeSeconds.column(), kTiming.column(),
          kBatchRows.column(),  kPeakMemoryBytes.column()};
}

std::vector<store::Column> noise_columns() {
  return {kNoiseMean.column(), kNoiseStd.column(), kNoiseAutocorrelation.column(), kNoiseKl.column()};
}

std::vector<store::Column> table_columns(std::span<const store::Column> parameters,
                                         std::span<const store::Column> metrics) {
  std::vector<store::Column> all = {kTrial.column(), kSample.column()};
  const auto append = [&all](const auto& columns) { all.insert(all.end(), columns.begin(), columns.end()); };
  for (const Axis& axis : axes()) all.push_back(axis.column);
  all.push_back(kInputDigest.column());
  all.push_back(kEdit.column());
  all.push_back(kEditType.column());
  append(parameters);
  all.push_back(kStatus.column());
  all.push_back(kError.column());
  append(metrics);
  append(cost_columns());
  append(noise_columns());
  return all;
}

}  // namespace roundtrip::columns
