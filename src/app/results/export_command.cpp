// roundtrip export: prints results as tables for papers and spreadsheets.
#include "analysis/export/paper_table.h"
#include "app/commands.h"
#include "app/results/arguments.h"
#include "base/error.h"
#include "base/text.h"

namespace roundtrip::app {
namespace {

constexpr const char* kHelp =
    R"(Writes means with their 95 % intervals, a row for each setting, or a table as a paper lays it out.

  --csv, --markdown, --latex   the format; LaTeX uses booktabs, best bold, second underlined
  --like LAYOUT                npi_table1, ddim_table2, belm_table2, pie_table1, pie_proper, pie_types, methods, or
                               a YAML file (docs/tables.md)
  --against PUBLISHED          published figures beside ours: a name as above, or a YAML file
  --by COLUMN                  split every setting by a column of text: edit_type, edit
  --where SELECTOR             only these settings: "steps=50, w=7.5"
  -o, --output FILE
)";

analysis::PaperTable table_of(const Arguments& arguments) {
  std::optional<analysis::Layout> layout;
  if (const auto name = arguments.option("--like")) layout = analysis::read_layout(*name);
  std::vector<std::string> by = layout ? layout->by : std::vector<std::string>();
  if (const auto columns = arguments.option("--by")) by = split(*columns, ',');
  const auto images = std::make_shared<analysis::Names>();
  std::vector<std::shared_ptr<const analysis::Results>> runs;
  for (const std::string& run : arguments.positions()) {
    runs.push_back(std::make_shared<const analysis::Results>(run, images, by));
  }
  const analysis::ReportData data(runs);
  analysis::Selector where;
  if (const auto text = arguments.option("--where")) where = analysis::parse_selector(*text, "--where");
  std::optional<analysis::Published> published;
  if (const auto name = arguments.option("--against")) published = analysis::read_published(*name);
  if (layout) return analysis::table_like(*layout, data, where, published);
  return analysis::table_of_settings(data, where, published);
}

int export_command(const Words& words) {
  const Arguments arguments(words, {.synopsis = "export RUN... --csv|--markdown|--latex [--like LAYOUT] [-o FILE]",
                                    .most_positions = 64,
                                    .options = {"--like", "--against", "--where", "--by", "--output"},
                                    .switches = {"--csv", "--markdown", "--latex"},
                                    .help = kHelp});
  if (arguments.help_shown()) return 0;
  if (arguments.has("--csv") + arguments.has("--markdown") + arguments.has("--latex") != 1) {
    throw Error(ErrorKind::kUsage, "roundtrip export: expected one of --csv, --markdown, --latex");
  }
  const analysis::PaperTable table = table_of(arguments);
  write_text(arguments.path("--output").value_or("-"), arguments.has("--csv")     ? analysis::paper_csv(table)
                                                       : arguments.has("--latex") ? analysis::paper_latex(table)
                                                                                  : analysis::paper_markdown(table));
  return 0;
}

const CommandRegistration registration{
    {.name = "export",
     .group = CommandGroup::kResults,
     .synopsis = "export RUN --csv|--latex|--markdown",
     .summary = "tables for papers, as they lay them out, with published figures beside",
     .run = export_command}};

}  // namespace
}  // namespace roundtrip::app
