// Prints the gate's findings for people, JUnit readers, GitHub and programs.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/gate/gate.h"

namespace roundtrip::analysis {
namespace {

constexpr size_t kMostAnnotations = 10;  // GitHub's limit for one step

bool passed(const GateLine& line) { return line.verdict == GateVerdict::kPass || line.verdict == GateVerdict::kNew; }

// "psnr 27.1 -> 26.9 dB, worse by 0.2 [0.19, 0.21], tolerance 0.1, 8 images"
std::string numbers_text(const GateLine& line) {
  std::string text = line.note;
  if (line.images == 0) return text;
  if (!text.empty()) text += "; ";
  text += fmt::format("{:.5g} -> {:.5g}{}, worse by {:.3g}", line.baseline, line.run,
                      line.units.empty() ? "" : " " + line.units, line.worsening);
  if (line.interval.known()) text += fmt::format(" [{:.3g}, {:.3g}]", line.interval.low, line.interval.high);
  return text + fmt::format(", tolerance {:.3g}, {} images", line.tolerance, line.images);
}

std::string xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') escaped += c;  // XML 1.0 allows no others
    }
  }
  return escaped;
}

// Escapes for GitHub's workflow commands: % and line ends everywhere, : and , in properties.
std::string github(std::string_view text, bool property) {
  std::string escaped;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    escaped += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return escaped;
}

std::string junit_suite(const std::string& name, const std::vector<GateLine>& lines) {
  const auto count = [&](auto is) { return std::ranges::count_if(lines, is); };
  const auto fails = count(
      [](const GateLine& line) { return line.verdict == GateVerdict::kFail || line.verdict == GateVerdict::kMissing; });
  const auto errors = count([](const GateLine& line) { return line.verdict == GateVerdict::kInconclusive; });
  const auto skipped = count([](const GateLine& line) { return line.verdict == GateVerdict::kNew; });
  std::string text = fmt::format(
      "  <testsuite name=\"roundtrip regress: {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
      "skipped=\"{}\">\n",
      name, lines.size(), fails, errors, skipped);
  for (const GateLine& line : lines) {
    text += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml(line.cell), xml(line.metric));
    const std::string message = xml(numbers_text(line));
    switch (line.verdict) {
      case GateVerdict::kPass:
        text += "/>\n";
        continue;
      case GateVerdict::kFail:
      case GateVerdict::kMissing:
        text += fmt::format("><failure type=\"{}\" message=\"{}\"/>", gate_verdict_text(line.verdict), message);
        break;
      case GateVerdict::kInconclusive:
        text += fmt::format("><error type=\"inconclusive\" message=\"{}\"/>", message);
        break;
      case GateVerdict::kNew:
        text += fmt::format("><skipped message=\"{}\"/>", message);
        break;
    }
    text += "</testcase>\n";
  }
  return text + "  </testsuite>\n";
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

std::string gate_table(const GateReport& report) {
  constexpr size_t kMostShown = 50;
  std::string text;
  size_t shown = 0;
  for (const GateLine* line : worst_first(report)) {
    if (line->verdict == GateVerdict::kPass) break;
    if (shown++ == kMostShown) {
      text += "...\n";
      break;
    }
    text += fmt::format("{:<13}{} {}: {}\n", gate_verdict_text(line->verdict), line->cell, line->metric,
                        numbers_text(*line));
  }
  return text + report.summary() + "\n";
}

std::string gate_junit(const GateReport& report) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"roundtrip regress\">\n";
  text += junit_suite("quality", report.quality);
  if (!report.timing.empty()) text += junit_suite("timing", report.timing);
  if (report.compared() == 0) {
    text +=
        "  <testsuite name=\"roundtrip regress: overlap\" tests=\"1\" failures=\"1\">\n    <testcase "
        "classname=\"gate\" "
        "name=\"something is compared\"><failure message=\"" +
        xml(report.summary()) + "\"/></testcase>\n  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string gate_annotations(const GateReport& report) {
  std::string text;
  size_t bad = 0;
  for (const GateLine* line : worst_first(report)) {
    if (passed(*line)) continue;
    if (bad++ >= kMostAnnotations) continue;
    const bool warning = line->verdict == GateVerdict::kInconclusive;
    text +=
        fmt::format("::{} title={}::{}\n", warning ? "warning" : "error",
                    github(fmt::format("{} {} ({})", line->metric, gate_verdict_text(line->verdict), line->cell), true),
                    github(numbers_text(*line), false));
  }
  if (bad > kMostAnnotations)
    text += fmt::format("::error title=roundtrip regress::and {} more\n", bad - kMostAnnotations);
  if (report.compared() == 0)
    text += fmt::format("::error title=roundtrip regress::{}\n", github(report.summary(), false));
  return text;
}

std::string gate_markdown(const GateReport& report) {
  constexpr size_t kMostRows = 100;
  const auto cell = [](std::string text) {
    for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
    return text;
  };
  std::string text =
      fmt::format("### Quality gate: {}\n\n{} against {}\n", report.summary(), report.run_name, report.baseline_name);
  size_t rows = 0;
  for (const GateLine* line : worst_first(report)) {
    if (passed(*line)) continue;
    if (rows == 0) text += "\n| verdict | setting | metric | what |\n|---|---|---|---|\n";
    if (rows++ == kMostRows) {
      text += "| ... | | | |\n";
      break;
    }
    text += fmt::format("| {} | {} | {} | {} |\n", gate_verdict_text(line->verdict), cell(line->cell),
                        cell(line->metric), cell(numbers_text(*line)));
  }
  return text;
}

std::string gate_json(const GateReport& report) {
  nlohmann::ordered_json json = {{"summary", report.summary()},
                                 {"exit_code", report.exit_code()},
                                 {"baseline", report.baseline_name},
                                 {"run", report.run_name}};
  for (const auto& [name, lines] : {std::pair{"quality", &report.quality}, std::pair{"timing", &report.timing}}) {
    json[name] = nlohmann::ordered_json::array();
    for (const GateLine& line : *lines) {
      json[name].push_back({{"verdict", gate_verdict_text(line.verdict)},
                            {"setting", line.cell},
                            {"metric", line.metric},
                            {"baseline", number(line.baseline)},
                            {"run", number(line.run)},
                            {"worsening", number(line.worsening)},
                            {"low", number(line.interval.low)},
                            {"high", number(line.interval.high)},
                            {"tolerance", number(line.tolerance)},
                            {"images", line.images},
                            {"note", line.note}});
    }
  }
  return json.dump(2) + "\n";
}

}  // namespace roundtrip::analysis
