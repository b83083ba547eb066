#include "run/summary.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "run/edit_scores.h"

namespace roundtrip::run {
namespace {

double number_in(const store::Record& record, const std::string& column) {
  const auto value = record.values.find(column);
  if (value == record.values.end()) return std::nan("");
  if (const auto* number = std::get_if<double>(&value->second)) return *number;
  if (const auto* count = std::get_if<int64_t>(&value->second)) return static_cast<double>(*count);
  return std::nan("");
}

// The settings that a table names where they vary, as it spells them.
std::vector<std::pair<std::string, std::string>> axes_of(const Trial& trial) {
  std::vector<std::pair<std::string, std::string>> axes = {
      {"model", std::filesystem::path(trial.model.path).filename().string()},
      {"dataset", trial.dataset.path.filename().string()},
      {"task", trial.edits ? "edit" : "reconstruct"},
      {"method", trial.method_name},
      {"steps", fmt::format("{}", trial.steps)},
      {"w", fmt::format("{:g}", trial.w)},
      {"invert w", std::isnan(trial.invert_w) ? "-" : fmt::format("{:g}", trial.invert_w)},
      {"eps_at", trial.eps_at_text()},
      {"eta", fmt::format("{:g}", trial.eta)},
      {"seed", fmt::format("{}", trial.seed)},
      {"dtype", trial.model.dtype}};
  for (const auto& [key, value] : trial.swept) {
    std::string text = "-";
    if (const auto* number = std::get_if<double>(&value)) text = python_repr(*number);
    if (const auto* count = std::get_if<int64_t>(&value)) text = fmt::format("{}", *count);
    if (const auto* words = std::get_if<std::string>(&value)) text = *words;
    axes.emplace_back(key, text);
  }
  return axes;
}

// Columns aligned right but the first, which is a name.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], row[k].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t k = 0; k < row.size(); ++k) {
      line += k == 0 ? fmt::format("{:<{}}", row[k], widths[k]) : fmt::format("  {:>{}}", row[k], widths[k]);
    }
    text += std::string(line.substr(0, line.find_last_not_of(' ') + 1)) + "\n";
  }
  return text;
}

int digits_of(const std::string& metric) {
  return metric.ends_with("psnr") ? 2 : metric == "mse" || metric == "latent_mse" ? 5 : 4;
}

}  // namespace

void Summary::Mean::add(double value) {
  if (std::isinf(value)) {
    ++infinite;
  } else if (!std::isnan(value)) {
    ++count;
    sum += value;
  }
}

std::string Summary::Mean::text(int digits) const {
  if (count == 0) return infinite > 0 ? "inf" : "-";
  const std::string mean = fmt::format("{:.{}f}", sum / static_cast<double>(count), digits);
  return infinite > 0 ? fmt::format("{} (+{} inf)", mean, infinite) : mean;
}

void Summary::add(const FinishedRecord& finished) {
  ++records_;
  Line& line = trials_[finished.trial - plan_.trials.data()];
  if (finished.failed) {
    ++failed_;
    ++line.failed;
    return;
  }
  ++line.ok;
  const store::Record& record = finished.record;
  for (const std::string& metric : finished.trial->metrics) {
    for (const std::string& column : score_columns(metric, finished.trial->edits)) {
      line.means[column].add(number_in(record, column));
    }
  }
  line.means["codec_psnr"].add(number_in(record, "codec_psnr"));
  line.means["NFE"].add(number_in(record, "invert_nfe") + number_in(record, "sample_nfe"));
  line.means["seconds"].add(number_in(record, "invert_seconds") + number_in(record, "sample_seconds"));
}

std::string Summary::table() const {
  // An axis is shown where it varies; the method always.
  std::vector<std::vector<std::pair<std::string, std::string>>> axes;
  for (const Trial& trial : plan_.trials) axes.push_back(axes_of(trial));
  std::vector<size_t> shown;
  for (size_t k = 0; k < axes.front().size(); ++k) {
    const bool varies = std::ranges::any_of(axes, [&](const auto& row) { return row[k].second != axes[0][k].second; });
    if (varies || axes.front()[k].first == "method") shown.push_back(k);
  }
  std::vector<std::string> metrics;
  for (const PlanBench& bench : plan_.benches) {
    for (const std::string& name : bench.options.metrics) {
      if (std::ranges::find(metrics, name) == metrics.end()) metrics.push_back(name);
    }
  }
  const auto mean_of = [](const Line& line, const std::string& name) {
    const auto mean = line.means.find(name);
    return mean == line.means.end() ? Mean{} : mean->second;
  };
  const auto is_known = [&](const std::string& name) {
    return std::ranges::any_of(trials_, [&](const Line& line) {
      const Mean mean = mean_of(line, name);
      return mean.count + mean.infinite > 0;
    });
  };
  const bool lossy = is_known("codec_psnr");
  for (const char* column : {"edit_psnr", "edit_lpips", "background_psnr"}) {
    if (is_known(column)) metrics.push_back(column);
  }

  std::vector<std::vector<std::string>> rows(1);
  for (const size_t k : shown) rows[0].push_back(axes.front()[k].first);
  rows[0].push_back("images");
  for (const std::string& name : metrics) rows[0].push_back(name);
  if (lossy) rows[0].push_back("codec psnr");
  rows[0].push_back("NFE");
  rows[0].push_back("network s");
  for (size_t t = 0; t < trials_.size(); ++t) {
    const Line& line = trials_[t];
    std::vector<std::string> row;
    for (const size_t k : shown) row.push_back(axes[t][k].second);
    row.push_back(line.failed > 0 ? fmt::format("{} ({} failed)", line.ok, line.failed) : fmt::format("{}", line.ok));
    for (const std::string& name : metrics) row.push_back(mean_of(line, name).text(digits_of(name)));
    if (lossy) row.push_back(mean_of(line, "codec_psnr").text(2));
    row.push_back(mean_of(line, "NFE").text(0));
    row.push_back(mean_of(line, "seconds").text(3));
    rows.push_back(std::move(row));
  }
  return aligned(rows);
}

}  // namespace roundtrip::run
