// roundtrip data check: what is in a dataset of edits, and what its faults do to a run. Exit code 4 if records will
// fail.
#include <cstdio>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "app/run_flags.h"
#include "app/runs/data_commands.h"
#include "base/error.h"
#include "base/text.h"
#include "config/launch.h"
#include "data/check.h"
#include "plan/schema.h"
#include "plan/trial.h"
#include "text/clip_tokenizer.h"
#include "text/clip_words.h"

namespace roundtrip::app {
namespace {

namespace fs = std::filesystem;

constexpr int kFaults = 4;
constexpr const char* kHelp =
    R"(Reads every image, mask and prompt of a dataset once and says what is in it and what its faults will do to a run.
Needs no network. With a model, prompts are counted by its tokenizer.

  dataset=NAME, dataset.path=PATH, ...   the dataset, as for a run
  model.path=MODEL, or model=scenes      whose tokenizer counts; else the words that CLIP would cut, a lower bound
  pie.protocol=proper|released           released: words that a prompt lacks are ignored, as by the published code
  --json                                 one JSON object, with every place

The exit code is 4 if there are faults that will fail records, and 0 if there are none or only notes.
)";

Error usage_error(const std::string& what) {
  return Error(ErrorKind::kUsage, fmt::format("roundtrip data check: {}", what));
}

data::Protocol protocol_of(const hydra::Node& config) {
  const bool released = config.find("pie.protocol")->as_string() == "released";
  return released ? data::Protocol::kReleased : data::Protocol::kProper;
}

// The config of the words; a model that was not given is the empty path.
hydra::Node config_of(const Words& words) {
  RunFlags flags = parse_run_flags(words);
  if (flags.multirun) throw usage_error("-m; expected one dataset");
  const hydra::SearchPath path = hydra::search_path(flags);
  const hydra::Node job = hydra::preview(flags, path, hydra::Strictness::kStrict).job;
  if (const hydra::Node* model = job.find("model.path"); model != nullptr && model->is_missing()) {
    flags.overrides.emplace_back("model.path=''");
  }
  const hydra::Launch launch = config::prepare(flags, plan::schema(), path);
  for (const std::string& warning : launch.warnings) fmt::print(stderr, "warning: {}\n", warning);
  return launch.jobs.front().config;
}

// A lower bound of a prompt's tokens: each of CLIP's words is at least one, and there are two marks.
int64_t fewest_tokens(const std::string& prompt) {
  int64_t tokens = 2;
  if (is_utf8(prompt)) text::for_each_word(text::normalise(prompt), [&](std::string_view) { ++tokens; });
  return tokens;
}

void set_tokenizer(const std::string& model, data::CheckOptions& options) {
  if (!model.empty() && !fs::is_directory(model)) {
    throw input_error("model.path", fmt::format("'{}' is not a folder", model), "a model folder with tokenizer/");
  }
  const fs::path folder = fs::path(model) / "tokenizer";
  if (model.empty() || !fs::is_directory(folder)) {
    options.tokens = fewest_tokens;
    options.tokenizer = "CLIP's words, a lower bound; model.path=MODEL with tokenizer/ counts exactly";
    return;
  }
  const auto tokenizer = std::make_shared<text::ClipTokenizer>(text::ClipTokenizer::open(folder));
  options.max_tokens = tokenizer->max_length();
  options.tokens = [tokenizer](const std::string& prompt) {
    return static_cast<int64_t>(tokenizer->tokens(prompt).ids.size());
  };
  options.tokenizer = folder.string();
}

}  // namespace

int data_check(const Words& all) {
  Words words = all;
  if (std::erase_if(words, [](const std::string& word) { return word == "--help" || word == "-h"; }) > 0) {
    fmt::print("usage: roundtrip {}\n\n{}", kDataCheckUsage, kHelp);
    return 0;
  }
  const bool json = std::erase(words, "--json") > 0;
  const hydra::Node config = config_of(words);
  data::CheckOptions options{.protocol = protocol_of(config)};
  const data::DatasetOptions dataset = plan::dataset_options(config);
  set_tokenizer(config.find("model.path")->as_string(), options);
  const data::CheckReport report = data::check_dataset(*data::open_dataset(dataset), options);
  const std::string title = fmt::format("{}, {}", dataset.name, dataset.path.string());
  const std::string text = json ? data::check_json(report, options, title) : data::check_text(report, options, title);
  std::fputs(text.c_str(), stdout);
  return report.has_faults() ? kFaults : 0;
}

}  // namespace roundtrip::app
