#include "networks/config_files.h"

#include <fstream>

#include "base/error.h"
#include "base/json.h"
#include "config/yaml.h"

namespace roundtrip::networks {
namespace {

namespace fs = std::filesystem;
using config::Node;

void write_text(const fs::path& path, const std::string& text) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  std::ofstream file(path);
  if (!(file << text).flush()) throw input_error(path.string(), "cannot be written");
}

std::string list_yaml(const std::vector<std::string>& texts) {
  Node::List items;
  for (const std::string& text : texts) items.emplace_back(text);
  return config::to_yaml(Node(std::move(items)));
}

void write_folder(const fs::path& folder, const Node& config, const Node& hydra,
                  const std::vector<std::string>& overrides) {
  write_text(folder / "config.yaml", config::to_yaml(config));
  Node wrapped{config::Dict{}};
  wrapped.set("hydra", hydra);
  // As they were typed, for a replay: the rest of the node is resolved, and so would they be.
  Node::List typed;
  for (const std::string& text : overrides) typed.emplace_back(text);
  wrapped.set("hydra.overrides.task", Node(std::move(typed)));
  write_text(folder / "hydra.yaml", config::to_yaml(wrapped));
  write_text(folder / "overrides.yaml", list_yaml(overrides));
}

}  // namespace

void write_config_files(const config::Launch& launch, const fs::path& directory) {
  const Node* name = launch.hydra.find("output_subdir");
  if (launch.multirun) {
    Node all = launch.composed;
    all.set("hydra", launch.hydra);
    write_text(directory / "multirun.yaml", config::to_yaml(all));
  }
  if (name == nullptr || name->is_null()) return;
  const std::string subdir = config::python_str(*name);
  write_folder(directory / subdir, launch.composed, launch.hydra, launch.task_overrides);
  for (const config::Job& job : launch.jobs) {
    if (job.subdir.empty()) continue;
    Node hydra = launch.hydra;
    hydra.set("job.num", Node(job.num));
    hydra.set("runtime.output_dir", Node((directory / job.subdir).string()));
    write_folder(directory / job.subdir / subdir, job.composed, hydra, job.overrides);
  }
}

std::vector<std::string> replay_words(const fs::path& directory) {
  const fs::path file = directory / ".hydra/hydra.yaml";
  std::error_code failure;
  if (!fs::is_regular_file(file, failure)) {
    throw input_error(file.string(), "is not there", "the run directory of a finished or interrupted run");
  }
  const Node root = config::parse_yaml(read_file(file), file.string());
  std::vector<std::string> words;
  const Node* mode = root.find("hydra.mode");
  if (mode != nullptr && mode->is_string() && mode->as_string() == "MULTIRUN") words.emplace_back("-m");
  for (const char* key : {"hydra.overrides.hydra", "hydra.overrides.task"}) {
    const Node* overrides = root.find(key);
    if (overrides == nullptr || !overrides->is_list()) {
      throw input_error(file.string(), std::string("has no list at ") + key);
    }
    for (const Node& item : overrides->list()) {
      const std::string word = item.as_string();
      // It goes to a directory of its own.
      if (!word.starts_with("hydra.run.dir=") && !word.starts_with("hydra.sweep.dir=")) words.push_back(word);
    }
  }
  return words;
}

}  // namespace roundtrip::networks
