#include "run/summary.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "session/edit_scores.h"

namespace roundtrip::run {
namespace {

constexpr int64_t kStretch = 1 << 14;  // records in memory at once

// The settings that a table names where they vary, as it spells them.
std::vector<std::pair<std::string, std::string>> axes_of(const plan::Trial& trial) {
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

Summary::Summary(const std::vector<plan::Trial>& trials, const store::ResultsReader& results)
    : trials_(trials), lines_(trials.size()), records_(results.records()) {
  for (int64_t first = 0; first < records_; first += kStretch) {
    read(results, first, std::min(kStretch, records_ - first));
  }
}

void Summary::read(const store::ResultsReader& results, int64_t first, int64_t count) {
  std::map<std::string, std::vector<double>> columns;
  const auto value = [&](const std::string& column, int64_t k) {
    const auto [entry, is_new] = columns.emplace(column, std::vector<double>());
    if (is_new) {
      entry->second =
          results.has(column) ? results.numbers(column, first, count) : std::vector<double>(count, std::nan(""));
    }
    return entry->second[k];
  };
  const std::vector<int64_t> trials = results.integers("trial", first, count);
  const std::vector<std::string> status = results.texts("status", first, count);
  for (int64_t k = 0; k < count; ++k) {
    const plan::Trial& trial = trials_.at(trials[k]);
    Line& line = lines_[trials[k]];
    if (status[k] == "failed") {
      ++line.failed;
      const auto text = [&](const char* column) { return results.texts(column, first + k, 1)[0]; };
      failures_.push_back({static_cast<size_t>(trials[k]), text("sample"), text("edit"), text("error")});
      continue;
    }
    ++line.ok;
    for (const std::string& metric : trial.metrics) {
      for (const std::string& column : session::score_columns(metric, trial.edits))
        line.means[column].add(value(column, k));
    }
    line.means["codec_psnr"].add(value("codec_psnr", k));
    line.means["NFE"].add(value("invert_nfe", k) + value("fit_nfe", k) + value("sample_nfe", k));
    line.means["seconds"].add(value("invert_seconds", k) + value("fit_seconds", k) + value("sample_seconds", k));
  }
}

std::string Summary::table() const {
  // An axis is shown where it varies; the method always.
  std::vector<std::vector<std::pair<std::string, std::string>>> axes;
  for (const plan::Trial& trial : trials_) axes.push_back(axes_of(trial));
  std::vector<size_t> shown;
  for (size_t k = 0; k < axes.front().size(); ++k) {
    const bool varies = std::ranges::any_of(axes, [&](const auto& row) { return row[k].second != axes[0][k].second; });
    if (varies || axes.front()[k].first == "method") shown.push_back(k);
  }
  std::vector<std::string> metrics;
  for (const plan::Trial& trial : trials_) {
    for (const std::string& name : trial.metrics) {
      if (std::ranges::find(metrics, name) == metrics.end()) metrics.push_back(name);
    }
  }
  const auto mean_of = [](const Line& line, const std::string& name) {
    const auto mean = line.means.find(name);
    return mean == line.means.end() ? Mean{} : mean->second;
  };
  const auto is_known = [&](const std::string& name) {
    return std::ranges::any_of(lines_, [&](const Line& line) {
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
  for (size_t t = 0; t < lines_.size(); ++t) {
    const Line& line = lines_[t];
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
