#include "app/runs/config_files.h"

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "hydra/override/element.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::app {
namespace {

namespace fs = std::filesystem;
using hydra::Node;

void write_text(const fs::path& path, const std::string& text) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  std::ofstream file(path);
  if (!(file << text).flush()) throw input_error(path.string(), "cannot be written");
}

std::string list_yaml(const std::vector<std::string>& texts) {
  Node::List items;
  for (const std::string& text : texts) items.emplace_back(text);
  return hydra::to_yaml(Node(std::move(items)));
}

void write_folder(const fs::path& folder, const Node& config, const Node& hydra,
                  const std::vector<std::string>& overrides) {
  write_text(folder / "config.yaml", hydra::to_yaml(config));
  Node wrapped{hydra::Dict{}};
  wrapped.set("hydra", hydra);
  // Store the overrides as typed, for a replay: they would otherwise be resolved like the rest of the node.
  Node::List typed;
  for (const std::string& text : overrides) typed.emplace_back(text);
  wrapped.set("hydra.overrides.task", Node(std::move(typed)));
  write_text(folder / "hydra.yaml", hydra::to_yaml(wrapped));
  write_text(folder / "overrides.yaml", list_yaml(overrides));
}

fs::path hydra_file(const fs::path& directory) { return directory / ".hydra/hydra.yaml"; }

Node read_hydra_file(const fs::path& directory) {
  const fs::path file = hydra_file(directory);
  std::error_code failure;
  if (!fs::is_regular_file(file, failure)) {
    throw input_error(file.string(), "is not there", "the directory of a run that was started");
  }
  return hydra::parse_yaml(read_file(file), file.string());
}

void enter_folder_in(const Node& root) {
  const Node* folder = root.find("hydra.runtime.cwd");
  std::error_code failure;  // a missing folder was not needed, or a later error names it
  if (folder != nullptr && folder->is_string()) fs::current_path(folder->as_string(), failure);
}

bool is_multirun(const Node& root) {
  const Node* mode = root.find("hydra.mode");
  return mode != nullptr && mode->is_string() && mode->as_string() == "MULTIRUN";
}

}  // namespace

void write_config_files(const hydra::Launch& launch, const fs::path& directory) {
  const Node* name = launch.hydra.find("output_subdir");
  if (launch.multirun) {
    Node all = launch.composed;
    all.set("hydra", launch.hydra);
    write_text(directory / "multirun.yaml", hydra::to_yaml(all));
  }
  if (name == nullptr || name->is_null()) return;
  const std::string subdir = hydra::python_str(*name);
  write_folder(directory / subdir, launch.composed, launch.hydra, launch.task_overrides);
  for (const hydra::Job& job : launch.jobs) {
    if (job.subdir.empty()) continue;
    Node hydra = launch.hydra;
    hydra.set("job.num", Node(job.num));
    hydra.set("runtime.output_dir", Node((directory / job.subdir).string()));
    write_folder(directory / job.subdir / subdir, job.composed, hydra, job.overrides);
  }
}

std::string quoted_value(const std::string& text) { return hydra::to_text({hydra::Quoted{text, '"'}}); }

std::vector<std::string> config_flags(const Node& hydra) {
  std::vector<std::string> words;
  const Node* name = hydra.find("job.config_name");
  if (name != nullptr && name->is_string() && name->as_string() != "config") words = {"-cn", name->as_string()};
  const Node* sources = hydra.find("runtime.config_sources");
  if (sources == nullptr || !sources->is_list()) return words;
  for (const Node& source : sources->list()) {
    const Node* provider = source.find("provider");
    const Node* path = source.find("path");
    if (provider == nullptr || path == nullptr || !provider->is_string() || !path->is_string()) continue;
    const std::string folder = path->as_string().substr(path->as_string().starts_with("file://") ? 7 : 0);
    if (provider->as_string() == "main") words.insert(words.end(), {"-cp", folder});
    if (provider->as_string() == "command-line") words.insert(words.end(), {"-cd", folder});
  }
  return words;
}

std::vector<std::string> replay_words(const fs::path& directory) {
  const Node root = read_hydra_file(directory);
  std::vector<std::string> words = config_flags(*root.find("hydra"));
  if (is_multirun(root)) words.emplace_back("-m");
  for (const char* key : {"hydra.overrides.hydra", "hydra.overrides.task"}) {
    const Node* overrides = root.find(key);
    if (overrides == nullptr || !overrides->is_list()) {
      throw input_error(hydra_file(directory).string(), std::string("has no list at ") + key);
    }
    for (const Node& item : overrides->list()) {
      const std::string word = item.as_string();
      // A replay gets a new directory.
      if (!word.starts_with("hydra.run.dir=") && !word.starts_with("hydra.sweep.dir=")) words.push_back(word);
    }
  }
  return words;
}

std::vector<std::string> resume_words(const fs::path& directory) {
  const fs::path run = fs::absolute(directory);
  const Node root = read_hydra_file(run);
  std::vector<std::string> words = replay_words(run);
  words.push_back((is_multirun(root) ? "hydra.sweep.dir=" : "hydra.run.dir=") + quoted_value(run.string()));
  enter_folder_in(root);
  return words;
}

void enter_folder_of_call(const fs::path& directory) {
  std::error_code failure;
  if (fs::is_regular_file(hydra_file(directory), failure)) enter_folder_in(read_hydra_file(directory));
}

}  // namespace roundtrip::app
