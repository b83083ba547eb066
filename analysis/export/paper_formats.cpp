// Writes a paper's table as CSV, Markdown and LaTeX.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analysis/export/paper_table.h"
#include "base/text.h"

namespace roundtrip::analysis {
namespace {

struct Printed {  // an entry as a paper prints it
  std::string mean, half_width, published;
};

Printed printed(const PaperEntry& entry, const PaperColumn& column) {
  store::Column measure = column.measure;  // of a multiple, two digits are those that tables print
  if (column.times != 1) measure.digits = std::min(measure.digits, 2);
  Printed result{.mean = "\u2013", .half_width = {}, .published = "\u2013"};
  if (entry.ours && entry.ours->images > 0) {
    result.mean = number_text(column.times * entry.ours->mean, measure);
    const Interval& interval = entry.ours->interval;
    if (interval.known() && interval.half_width() > 0) {
      result.half_width = number_text(column.times * interval.half_width(), measure);
    }
  }
  if (entry.published) result.published = fmt::format("{:.6g}", column.times * *entry.published);
  return result;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_number(double value) { return std::isnan(value) ? "" : fmt::format("{:.17g}", value); }

std::string latex_text(const std::string& text) {
  static const std::map<char, std::string> kSpecial = {{'\\', "\\textbackslash{}"},
                                                       {'{', "\\{"},
                                                       {'}', "\\}"},
                                                       {'$', "\\$"},
                                                       {'&', "\\&"},
                                                       {'#', "\\#"},
                                                       {'^', "\\textasciicircum{}"},
                                                       {'_', "\\_"},
                                                       {'~', "\\textasciitilde{}"},
                                                       {'%', "\\%"}};
  std::string escaped;
  for (const char c : text) {
    const auto special = kSpecial.find(c);
    escaped += special == kSpecial.end() ? std::string(1, c) : special->second;
  }
  for (const auto& [sign, command] : {std::pair<std::string, std::string>{"\u2013", "--"}, {"\u221e", "$\\infty$"}}) {
    for (size_t at = 0; (at = escaped.find(sign, at)) != std::string::npos; at += command.size()) {
      escaped.replace(at, sign.size(), command);
    }
  }
  return escaped;
}

std::string markdown_text(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

// The last row, of the numbers of images.
std::vector<std::string> counts_row(const PaperTable& table) {
  std::vector<std::string> fields = {"images"};
  fields.resize(table.heads.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    fields.push_back(images_text(table, c));
    if (table.columns[c].has_published) fields.emplace_back();
  }
  return fields;
}

}  // namespace

std::string paper_csv(const PaperTable& table) {
  std::vector<std::string> heads = table.heads;
  for (std::string& head : heads) {
    if (head.empty()) head = "row";
  }
  const bool by_label = !table.source.empty();
  for (const PaperColumn& column : table.columns) {
    const std::string name = by_label ? column.label : column.measure.name;
    for (const char* part : {"", "_low", "_high", "_images", "_missing", "_infinite"}) heads.push_back(name + part);
    if (column.has_published) heads.push_back(name + "_published");
  }
  std::string text;
  const auto line = [&](const std::vector<std::string>& fields) {
    for (size_t k = 0; k < fields.size(); ++k) text += (k == 0 ? "" : ",") + csv_field(fields[k]);
    text += "\n";
  };
  line(heads);
  for (const PaperRow& row : table.rows) {
    std::vector<std::string> fields = row.heads;
    for (size_t c = 0; c < row.entries.size(); ++c) {
      const PaperEntry& entry = row.entries[c];
      const double times = table.columns[c].times;
      if (entry.ours) {
        const Estimate& ours = *entry.ours;
        for (const double value : {ours.mean, ours.interval.low, ours.interval.high})
          fields.push_back(csv_number(times * value));
        for (const int64_t count : {ours.images, ours.missing, ours.infinite})
          fields.push_back(fmt::format("{}", count));
      } else {
        fields.insert(fields.end(), 6, "");
      }
      if (table.columns[c].has_published) fields.push_back(entry.published ? csv_number(times * *entry.published) : "");
    }
    line(fields);
  }
  return text;
}

std::string paper_markdown(const PaperTable& table) {
  std::string heads = "|", rule = "|", rows;
  for (const std::string& head : table.heads) heads += " " + markdown_text(head) + " |", rule += "---|";
  for (const PaperColumn& column : table.columns) {
    heads += fmt::format(" {} {} |", markdown_text(column.label),
                         column.measure.direction == "higher" ? "\u2191" : "\u2193");
    rule += "---:|";
    if (column.has_published) heads += " published |", rule += "---:|";
  }
  for (const PaperRow& row : table.rows) {
    rows += "|";
    for (const std::string& head : row.heads) rows += " " + markdown_text(head) + " |";
    for (size_t c = 0; c < row.entries.size(); ++c) {
      const Printed entry = printed(row.entries[c], table.columns[c]);
      const int rank = row.entries[c].rank;
      rows += rank == 0   ? fmt::format(" **{}**", entry.mean)
              : rank == 1 ? fmt::format(" <u>{}</u>", entry.mean)
                          : " " + entry.mean;
      if (!entry.half_width.empty()) rows += " \u00b1 " + entry.half_width;
      rows += " |";
      if (table.columns[c].has_published) rows += " " + entry.published + " |";
    }
    rows += "\n";
  }
  if (table.counts) rows += "| " + join(counts_row(table), " | ") + " |\n";
  std::string text = heads + "\n" + rule + "\n" + rows;
  if (!table.source.empty()) text += fmt::format("\nLaid out as {}.\n", table.source);
  if (!table.published_source.empty()) text += fmt::format("\nPublished: {}.\n", table.published_source);
  return text;
}

std::string paper_latex(const PaperTable& table) {
  std::string columns(table.heads.size(), 'l'), text = "% needs \\usepackage{booktabs}\n";
  std::vector<std::string> heads;
  for (const std::string& head : table.heads) heads.push_back(latex_text(head));
  for (const PaperColumn& column : table.columns) {
    columns += column.has_published ? "rr" : "r";
    heads.push_back(latex_text(column.label) +
                    (column.measure.direction == "higher" ? " $\\uparrow$" : " $\\downarrow$"));
    if (column.has_published) heads.push_back("published");
  }
  if (!table.source.empty()) text += "% laid out as " + table.source + "\n";
  if (!table.published_source.empty()) text += "% published: " + table.published_source + "\n";
  text += "\\begin{tabular}{" + columns + "}\n\\toprule\n" + join(heads, " & ") + " \\\\\n\\midrule\n";
  for (const PaperRow& row : table.rows) {
    std::vector<std::string> fields;
    for (const std::string& head : row.heads) fields.push_back(latex_text(head));
    for (size_t c = 0; c < row.entries.size(); ++c) {
      const Printed entry = printed(row.entries[c], table.columns[c]);
      const std::string mean = latex_text(entry.mean);
      const int rank = row.entries[c].rank;
      std::string field = rank == 0 ? "\\textbf{" + mean + "}" : rank == 1 ? "\\underline{" + mean + "}" : mean;
      if (!entry.half_width.empty()) field += " {\\scriptsize $\\pm$ " + latex_text(entry.half_width) + "}";
      fields.push_back(field);
      if (table.columns[c].has_published) fields.push_back(latex_text(entry.published));
    }
    text += join(fields, " & ") + " \\\\\n";
  }
  if (table.counts) text += "\\midrule\n" + join(counts_row(table), " & ") + " \\\\\n";
  return text + "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace roundtrip::analysis
